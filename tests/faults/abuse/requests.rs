//! Malformed requests, and the statuses that are right for each.

/// A request, and the statuses of a right response.
pub struct Request {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub right: &'static [u16],
}

const BAD_REQUEST: &[u16] = &[400];
const TOO_LARGE: &[u16] = &[413];
const LONG_HEAD: &[u16] = &[431];

/// Number of chunks of a body that is never finished.
pub const MANY_CHUNKS: usize = 200_000_000 / 0x10000;

pub fn all() -> Vec<Request> {
    let mut all = Vec::new();
    let mut add = |name, bytes: Vec<u8>, right| all.push(Request { name, bytes, right });
    for (name, head, right) in HEADS {
        add(name, format!("{head}\r\n\r\n").into_bytes(), *right);
    }
    for (name, text, right) in WHOLE {
        add(name, text.as_bytes().to_vec(), *right);
    }
    let get = |fields: String| {
        format!("GET /pets HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n").into_bytes()
    };
    let x = |count: usize| "x".repeat(count);
    let line =
        |path: String| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes();
    add(
        "70 KiB of URI",
        line(format!("/{}", x(70 * 1024))),
        &[414, 431],
    );
    add(
        "60 KiB of query",
        line(format!("/live/state?pet={}", x(60 * 1024))),
        BAD_REQUEST,
    );
    add(
        "500 KiB in one field",
        get(format!("X: {}\r\n", x(500 * 1024))),
        LONG_HEAD,
    );
    add(
        "500 KiB in many fields",
        get(format!("X: {}\r\n", x(5000)).repeat(100)),
        LONG_HEAD,
    );
    add("101 fields", get("X: y\r\n".repeat(101)), LONG_HEAD);
    add("10,000 fields", get("X: y\r\n".repeat(10_000)), LONG_HEAD);
    add(
        "a name of 70 KiB",
        get(format!("{}: y\r\n", x(70 * 1024))),
        &[400, 431],
    );
    add(
        "a method of 70 KiB",
        format!("{} / HTTP/1.1\r\nHost: localhost\r\n\r\n", x(70_000)).into_bytes(),
        &[400, 431],
    );
    add(
        "not HTTP at all",
        [0x16, 3, 1, 2, 0, 1, 0, 1, 0xFC, 3, 3].repeat(20),
        BAD_REQUEST,
    );
    add("NUL bytes alone", vec![0; 1000], BAD_REQUEST);
    add("65,536 bytes of 0xFF", vec![0xFF; 65_536], BAD_REQUEST);
    let chunk = format!("10000\r\n{}\r\n", x(0x10000));
    let chunked = "POST /pets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\
        Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    add(
        "200 MB in chunks",
        format!("{chunked}{}", chunk.repeat(MANY_CHUNKS)).into_bytes(),
        TOO_LARGE,
    );
    let tiny = "1\r\nx\r\n".repeat(70_000);
    add(
        "70,000 chunks of a byte",
        format!("{chunked}{tiny}").into_bytes(),
        TOO_LARGE,
    );
    let extended = format!("1;{}\r\nx\r\n0\r\n\r\n", x(70_000));
    add(
        "a chunk with 70 KB of extension",
        format!("{chunked}{extended}").into_bytes(),
        BAD_REQUEST,
    );
    let trailers = format!("0\r\n{}\r\n", "X: y\r\n".repeat(20_000));
    add(
        "20,000 trailers",
        format!("{chunked}{trailers}").into_bytes(),
        BAD_REQUEST,
    );
    all
}

/// Heads, without their last empty line.
const HEADS: &[(&str, &str, &[u16])] = &[
    ("no Host", "GET /pets HTTP/1.1", BAD_REQUEST),
    (
        "two Hosts",
        "GET /pets HTTP/1.1\r\nHost: a\r\nHost: b",
        BAD_REQUEST,
    ),
    (
        "the same Host twice",
        "GET /pets HTTP/1.1\r\nHost: a\r\nHost: a",
        BAD_REQUEST,
    ),
    (
        "a Host with a space",
        "GET /pets HTTP/1.1\r\nHost: a b",
        BAD_REQUEST,
    ),
    (
        "an unknown version",
        "GET /pets HTTP/9.9\r\nHost: localhost",
        BAD_REQUEST,
    ),
    ("no version", "GET /pets", BAD_REQUEST),
    (
        "HTTP/2 without its preface",
        "GET /pets HTTP/2.0\r\nHost: localhost",
        BAD_REQUEST,
    ),
    (
        "a path without a slash",
        "GET pets HTTP/1.1\r\nHost: localhost",
        &[400, 404],
    ),
    (
        "a space in the path",
        "GET /pe ts HTTP/1.1\r\nHost: localhost",
        BAD_REQUEST,
    ),
    (
        "NUL in the path",
        "GET /pe\0ts HTTP/1.1\r\nHost: localhost",
        BAD_REQUEST,
    ),
    (
        "NUL in a name",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nX\0Y: z",
        BAD_REQUEST,
    ),
    (
        "NUL in a value",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nX: y\0z",
        BAD_REQUEST,
    ),
    (
        "CR in a value",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nX: y\rZ: z",
        BAD_REQUEST,
    ),
    (
        "a folded field",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nX: y\r\n z",
        BAD_REQUEST,
    ),
    (
        "a space before the colon",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nX : y",
        BAD_REQUEST,
    ),
    (
        "a field without a colon",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\nXY",
        BAD_REQUEST,
    ),
    (
        "a field without a name",
        "GET /pets HTTP/1.1\r\nHost: localhost\r\n: y",
        BAD_REQUEST,
    ),
    (
        "a space before the first field",
        "GET /pets HTTP/1.1\r\n Host: localhost",
        BAD_REQUEST,
    ),
    (
        "a method in braces",
        "{GET} /pets HTTP/1.1\r\nHost: localhost",
        BAD_REQUEST,
    ),
    (
        "CONNECT",
        "CONNECT example.com:80 HTTP/1.1\r\nHost: localhost",
        &[400, 404, 405],
    ),
    ("TRACE", "TRACE /pets HTTP/1.1\r\nHost: localhost", &[405]),
    (
        "up the tree",
        "GET /assets/x/../../../etc/passwd HTTP/1.1\r\nHost: localhost",
        &[404],
    ),
    (
        "up the tree, encoded",
        "GET /assets/x/%2e%2e%2f%2e%2e%2fCargo.toml HTTP/1.1\r\nHost: localhost",
        &[404],
    ),
    (
        "a broken escape",
        "GET /pets/%zz HTTP/1.1\r\nHost: localhost",
        &[400, 404],
    ),
    (
        "an escape that is no UTF-8",
        "GET /pets/%ff HTTP/1.1\r\nHost: localhost",
        &[400, 404],
    ),
    (
        "10\u{b9}\u{b2} bytes to come",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000000000",
        TOO_LARGE,
    ),
    (
        "a length beyond 64 bits",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999",
        BAD_REQUEST,
    ),
    (
        "a negative length",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1",
        BAD_REQUEST,
    ),
    (
        "a length with a plus",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: +5",
        BAD_REQUEST,
    ),
    (
        "a length in hexadecimal",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0x5",
        BAD_REQUEST,
    ),
    (
        "two lengths",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6",
        BAD_REQUEST,
    ),
    (
        "two lengths in one field",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5, 6",
        BAD_REQUEST,
    ),
    (
        "an unknown coding",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: xchunked",
        BAD_REQUEST,
    ),
    (
        "chunked, and then not",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked, identity",
        BAD_REQUEST,
    ),
    (
        "chunked in HTTP/1.0",
        "POST /pets HTTP/1.0\r\nTransfer-Encoding: chunked",
        BAD_REQUEST,
    ),
];

/// Requests with another one smuggled into the body: only one response is right.
const WHOLE: &[(&str, &str, &[u16])] = &[
    (
        "a length and chunks",
        "POST /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[400, 405],
    ),
    (
        "chunks and a length",
        "POST /hello HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n\
         0\r\n\r\nGET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &[400, 405],
    ),
    (
        "a chunk that is no number",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n",
        BAD_REQUEST,
    ),
    (
        "a chunk beyond 64 bits",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
         fffffffffffffffff\r\nx\r\n0\r\n\r\n",
        BAD_REQUEST,
    ),
    (
        "a chunk longer than it says",
        "POST /pets HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nxyz\r\n0\r\n\r\n",
        BAD_REQUEST,
    ),
];
