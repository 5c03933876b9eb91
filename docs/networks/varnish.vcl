# pet-store behind Varnish: for /etc/varnish/default.vcl.
vcl 4.1;

backend default {
    .host = "127.0.0.1"; .port = "3000";
    # Four heartbeats: a live connection that says nothing for so long is dead.
    .first_byte_timeout = 60s;
    .between_bytes_timeout = 60s;
}

sub vcl_recv {
    # What goes on as WebSocket is passed through byte by byte.
    if (req.http.Upgrade ~ "(?i)websocket") {
        return (pipe);
    }
    # The log is for all: everybody at one place in it asks for the same address. One request goes on, and the others wait for
    # its answer.
    if (req.url ~ "^/live/(log(\?|$)|state/)" && req.method == "GET") {
        unset req.http.Cookie;
        unset req.http.Authorization;
        return (hash);
    }
    # Other live answers are nobody else's: they are not looked for in the cache, and nobody waits for another's.
    if (req.url ~ "^/(live/|pets/[0-9]+/live\.png)") {
        return (pass);
    }
}

sub vcl_pipe {
    # Varnish leaves out what is meant for one connection only, and these are.
    if (req.http.Upgrade) {
        set bereq.http.Upgrade = req.http.Upgrade;
        set bereq.http.Connection = req.http.Connection;
    }
}

sub vcl_backend_response {
    if (bereq.url ~ "^/live/(log(\?|$)|state/)" && !bereq.uncacheable) {
        # Answers say how long they may be kept. While an old one is renewed it is sent to others for a second.
        set beresp.grace = 1s;
        set beresp.keep = 10s;
        # After a failure, others wait for one request again.
        if (beresp.status >= 400) {
            set beresp.ttl = 1s;
            set beresp.uncacheable = true;
        }
        return (deliver);
    }
}
