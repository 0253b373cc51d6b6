/* A web service that can be made to fail. HTTP/1.1 with keep-alive, a thread a connection, under 1 MiB at rest.
 *
 *   GET /               version, host and port, one line
 *   GET /health         200, or 503 when broken
 *   GET /work?seconds=S an answer that takes S seconds (a fraction is fine)
 *   GET /fault?NAME=V…  switches faults while it runs (and says them all):
 *       broken=1  health says no        slow=S   every answer takes S seconds
 *       leak=N    N MiB more a second   hold=N   N MiB held, once          crash=N  ends with status N, at once
 *
 * At the start the same faults come from BROKEN, SLOW (here: seconds until it listens), LEAK, HOLD and CRASH.
 * PORTS="8080 8081 9000/udp" says where it listens (UDP ports are left out), VERSION what it calls itself.
 * On SIGTERM it takes no new connection, finishes open requests, says `Connection: close`, and ends with 0. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

enum { PORTS = 32, HEAD = 4096, LINGER = 200, IDLE = 75000, DRAIN = 30 };

static atomic_int connections, broken, leak, crash;
static _Atomic double slow;
static int ending[2]; /* its writing end is closed on SIGTERM: every reader sees that, again and again */
static const char *version = "0";
static char host[128];

static double number(const char *text) { return text && *text ? atof(text) : 0; }

static void rest(double seconds) {
  struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
  while (seconds > 0 && nanosleep(&left, &left) && errno == EINTR) { }
}

/* Takes memory that is really there: a page is the kernel's until it is written. */
static void take(int mebibytes) {
  for (int i = 0; i < mebibytes; i++) {
    char *piece = malloc(1 << 20);
    if (piece) memset(piece, i | 1, 1 << 20);
  }
}

static void *leaking(void *unused) {
  for (;; rest(1)) take(leak);
  return unused;
}

static void *holding(void *mebibytes) {
  take((int)(long)mebibytes);
  return NULL;
}

static void start(void *(*work)(void *), void *argument) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, 64 << 10);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  if (pthread_create(&thread, &attributes, work, argument)) _exit(71);
  pthread_attr_destroy(&attributes);
}

static void set_leak(int amount) {
  static atomic_int running;
  leak = amount;
  if (amount > 0 && !atomic_exchange(&running, 1)) start(leaking, NULL);
}

static void set_fault(const char *name, const char *value) {
  if (!strcmp(name, "broken")) broken = (int)number(value);
  if (!strcmp(name, "slow")) slow = number(value);
  if (!strcmp(name, "leak")) set_leak((int)number(value));
  if (!strcmp(name, "hold")) start(holding, (void *)(long)number(value));
  if (!strcmp(name, "crash")) crash = (int)number(value);
}

static void set_faults(char *query) {
  for (char *rest_of = query, *pair; (pair = strsep(&rest_of, "&"));) {
    char *name = strsep(&pair, "=");
    set_fault(name, pair ? pair : "1");
  }
}

/* Answers one request; `path` is cut up on the way. */
static int answer(int fd, char *path, int port, int keep) {
  char body[512], reply[1024];
  char *query = strchr(path, '?');
  int status = 200;
  if (query) *query++ = 0;
  if (!strcmp(path, "/fault")) {
    if (query) set_faults(query);
    if (crash) _exit(crash);
    snprintf(body, sizeof body, "broken=%d slow=%g leak=%d\n", broken, (double)slow, leak);
  } else if (!strcmp(path, "/health")) {
    status = broken ? 503 : 200;
    snprintf(body, sizeof body, "%s\n", broken ? "broken" : "ok");
  } else {
    double seconds = slow;
    if (!strcmp(path, "/work") && query && !strncmp(query, "seconds=", 8)) seconds += number(query + 8);
    rest(seconds);
    snprintf(body, sizeof body, "version=%s host=%s port=%d\n", version, host, port);
  }
  int length = snprintf(reply, sizeof reply,
    "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nX-Version: %s\r\nConnection: %s\r\n\r\n%s",
    status == 200 ? "200 OK" : "503 Service Unavailable", strlen(body), version, keep ? "keep-alive" : "close", body);
  return send(fd, reply, (size_t)length, MSG_NOSIGNAL) == length;
}

static int over(void) { return poll(&(struct pollfd){ending[0], POLLIN, 0}, 1, 0) > 0; }

/* Waits for more of a request. An idle connection outlives SIGTERM by a moment: a request may be on its way. */
static ssize_t more(int fd, char *at, size_t room) {
  struct pollfd both[] = {{fd, POLLIN, 0}, {ending[0], POLLIN, 0}};
  if (poll(both, 2, IDLE) <= 0) return 0;
  if (!both[0].revents && poll(both, 1, LINGER) <= 0) return 0;
  return recv(fd, at, room, 0);
}

/* Drops a body of `length` bytes, of which `had` came with the head; whether it came whole. */
static int drop(int fd, long length, long had) {
  char waste[1024];
  while (had < length) {
    long left = length - had;
    ssize_t got = recv(fd, waste, left < (long)sizeof waste ? (size_t)left : sizeof waste, 0);
    if (got <= 0) return 0;
    had += got;
  }
  return 1;
}

static void *serve(void *argument) {
  int fd = (int)((long)argument >> 16), port = (int)((long)argument & 0xffff), keep = 1;
  char head[HEAD], path[512];
  size_t have = 0;
  while (keep) {
    char *end;
    head[have] = 0;
    while (!(end = strstr(head, "\r\n\r\n"))) {
      ssize_t got = have < HEAD - 1 ? more(fd, head + have, HEAD - 1 - have) : 0;
      if (got <= 0) goto done;
      have += (size_t)got;
      head[have] = 0;
    }
    int old = 0;
    if (sscanf(head, "%*15s %511s HTTP/1.%d", path, &old) != 2) goto done;
    char *length = strcasestr(head, "\r\nContent-Length:");
    long body = length && length < end ? atol(length + 17) : 0, behind = (long)(have - (size_t)(end + 4 - head));
    char *close_it = strcasestr(head, "\r\nConnection: close");
    keep = old == 1 && !(close_it && close_it < end);
    if (behind < body && !drop(fd, body, behind)) goto done;
    size_t next = behind > body ? (size_t)(behind - body) : 0;
    memmove(head, end + 4 + body, next); /* the beginning of the next request, if it came along */
    have = next;
    keep = keep && !over();
    if (!answer(fd, path, port, keep)) goto done;
  }
done:
  close(fd);
  connections--;
  return NULL;
}

static int listening(int port) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (bind(fd, (struct sockaddr *)&where, sizeof where) || listen(fd, 128)) {
    perror("web: listen");
    exit(71);
  }
  return fd;
}

static void terminate(int signal) {
  (void)signal;
  close(ending[1]);
}

static const char *setting(const char *name, const char *otherwise) {
  const char *value = getenv(name);
  return value && *value ? value : otherwise;
}

int main(void) {
  struct pollfd ears[PORTS + 1];
  int ports[PORTS], count = 0;
  if (number(getenv("CRASH"))) return (int)number(getenv("CRASH"));
  if (pipe(ending)) return 71;
  signal(SIGPIPE, SIG_IGN);
  sigaction(SIGTERM, &(struct sigaction){.sa_handler = terminate}, NULL);
  sigaction(SIGINT, &(struct sigaction){.sa_handler = terminate}, NULL);
  version = setting("VERSION", version);
  gethostname(host, sizeof host - 1);
  broken = (int)number(getenv("BROKEN"));
  set_leak((int)number(getenv("LEAK")));
  take((int)number(getenv("HOLD")));
  for (double left = number(getenv("SLOW")); left > 0 && !over(); left -= 0.1) rest(left < 0.1 ? left : 0.1);

  char *list = strdup(setting("PORTS", "8080"));
  for (char *word; (word = strsep(&list, " ,")) && count < PORTS;) {
    if (!*word || strstr(word, "/udp")) continue;
    ports[count] = atoi(word);
    ears[count] = (struct pollfd){listening(ports[count]), POLLIN, 0};
    count++;
  }
  ears[count] = (struct pollfd){ending[0], POLLIN, 0};
  printf("web %s on %d ports\n", version, count);
  fflush(stdout);
  while (!over()) {
    if (poll(ears, (nfds_t)count + 1, -1) <= 0) continue;
    for (int i = 0; i < count; i++) {
      int yes = 1, fd = ears[i].revents ? accept(ears[i].fd, NULL, NULL) : -1;
      if (fd < 0) continue;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      connections++;
      start(serve, (void *)((long)fd << 16 | ports[i]));
    }
  }
  for (int i = 0; i < count; i++) close(ears[i].fd);
  for (int left = DRAIN * 100; connections && left; left--) rest(0.01);
  return 0;
}
