/* The least that a server can do: epoll, and one send per viewer and change. It parses nothing, stores
 * nothing, and drops a viewer whose socket is full. What it costs is the operating system's part.
 *
 * Usage: limit PORT PETS CHANGES_PER_SECOND; compiled by the bench with `cc -O2`. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_FDS = 20000, TICK_MS = 5, NO_VIEWER = 0, WS = 1, SSE = 2 };

static char kind_of[MAX_FDS];
static int last_fd;

/* The accept key is that of the client's only key, the example of RFC 6455. */
static const char WS_HEAD[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char SSE_HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-store\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n9\r\n: hello\n\n\r\n";

static double now_ms(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void drop_viewer(int fd) {
  kind_of[fd] = NO_VIEWER;
  close(fd);
}

/* Sends one change to every viewer. */
static void send_change(long rev, long pets) {
  static const char *statuses[] = {"eating", "bathing", "sleeping", "playing"};
  struct timespec t;
  struct tm utc;
  char since[40], json[256], ws[300], event[300], sse[320];
  clock_gettime(CLOCK_REALTIME, &t);
  size_t n = strftime(since, sizeof since, "%Y-%m-%dT%H:%M:%S", gmtime_r(&t.tv_sec, &utc));
  snprintf(since + n, sizeof since - n, ".%06ldZ", t.tv_nsec / 1000);
  int json_size = snprintf(json, sizeof json,
                           "{\"type\":\"status\",\"cursor\":\"9f2c41aa-%ld\",\"pet\":%ld,\"status\":\"%s\",\"since\":\"%s\",\"by\":\"simulator\"}",
                           rev, rev % pets + 1, statuses[rev * 7 % 4], since);
  int ws_size = 0;
  ws[ws_size++] = (char)0x81;
  if (json_size < 126) {
    ws[ws_size++] = (char)json_size;
  } else {
    ws[ws_size++] = 126;
    ws[ws_size++] = (char)(json_size >> 8);
    ws[ws_size++] = (char)json_size;
  }
  memcpy(ws + ws_size, json, json_size);
  ws_size += json_size;
  int event_size = snprintf(event, sizeof event, "id: 9f2c41aa-%ld\nevent: status\ndata: %s\n\n", rev, json);
  int sse_size = snprintf(sse, sizeof sse, "%x\r\n%s\r\n", event_size, event);
  for (int fd = 0; fd <= last_fd; fd++) {
    if (kind_of[fd] == NO_VIEWER) continue;
    int is_ws = kind_of[fd] == WS;
    int size = is_ws ? ws_size : sse_size;
    if (send(fd, is_ws ? ws : sse, size, MSG_NOSIGNAL | MSG_DONTWAIT) != size) drop_viewer(fd);
  }
}

static void on_readable(int fd) {
  char request[4096];
  ssize_t size = recv(fd, request, sizeof request - 1, MSG_DONTWAIT);
  if (size <= 0) {
    if (size == 0 || errno != EAGAIN) drop_viewer(fd);
    return;
  }
  request[size] = 0;
  if (kind_of[fd] != NO_VIEWER) return;
  int is_ws = strncmp(request, "GET /ws", 7) == 0, is_sse = strncmp(request, "GET /sse", 8) == 0;
  if (!is_ws && !is_sse) {
    drop_viewer(fd);
    return;
  }
  const char *head = is_ws ? WS_HEAD : SSE_HEAD;
  if (send(fd, head, strlen(head), MSG_NOSIGNAL) < 0) {
    drop_viewer(fd);
    return;
  }
  kind_of[fd] = is_ws ? WS : SSE;
  if (fd > last_fd) last_fd = fd;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  long pets = atol(argv[2]), rev = 0;
  double per_second = atof(argv[3]);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 4096) != 0) return 1;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[1024];
  epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
  double start = now_ms(CLOCK_MONOTONIC);
  for (;;) {
    int timeout = -1;
    if (per_second > 0) {
      double wait = start + (rev + 1) * 1000 / per_second - now_ms(CLOCK_MONOTONIC);
      timeout = wait > TICK_MS ? (int)wait + 1 : TICK_MS;
    }
    int count = epoll_wait(poll, events, 1024, timeout);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd != listener) {
        on_readable(fd);
        continue;
      }
      while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        if (fd >= MAX_FDS) {
          close(fd);
          continue;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        kind_of[fd] = NO_VIEWER;
        event.events = EPOLLIN | EPOLLET;
        event.data.fd = fd;
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
      }
    }
    long due = (long)((now_ms(CLOCK_MONOTONIC) - start) * per_second / 1000);
    while (rev < due) send_change(++rev, pets);
  }
}
