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
    # Live answers are nobody else's: they are not looked for in the cache, and nobody waits for another's.
    if (req.url ~ "^/live/") {
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
