/* guard.c: who may talk to the server: pure functions over the parts of a request, so that each rule can be tested by itself.
 * Rules:  reliability.md §5 of the design: token compared in constant time, Host must name us (a web page that rebinds a DNS name cannot), Origin must be
 *         ourselves, bodies are application/json and nothing else (a form on another page cannot send that).
 * Memory: nothing is kept. */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/internal.h"

bool wr_token_equal(const char *given, const char *token)
{
    size_t n = strlen(given), m = strlen(token);
    unsigned char diff = n != m || m == 0;
    for (size_t i = 0; i < m; i++) /* as many steps as the token is long, whatever was given */
        diff |= (unsigned char)((unsigned char)token[i] ^ (unsigned char)(i < n ? given[i] : 0));
    return diff == 0;
}

bool wr_listen_parse(const char *text, char *addr, size_t size, int *port)
{
    const char *colon = strrchr(text, ':');
    if (!colon || colon == text)
        return false;
    const char *from = text, *to = colon;
    if (*from == '[') {
        if (to[-1] != ']')
            return false;
        from++;
        to--;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return false; /* IPv6 goes in brackets */
    }
    size_t n = (size_t)(to - from);
    char *end;
    long p = strtol(colon + 1, &end, 10);
    if (colon[1] < '0' || colon[1] > '9' || *end || p > 65535 || n == 0 || n >= size)
        return false;
    memcpy(addr, from, n);
    addr[n] = 0;
    *port = (int)p;
    return true;
}

bool wr_addr_is_loopback(const char *addr)
{
    return strncmp(addr, "127.", 4) == 0 || strcmp(addr, "::1") == 0 || strcmp(addr, "localhost") == 0;
}

/* Does `host` say name, or name:port? Brackets of IPv6 are part of host. */
static bool host_is(const char *host, const char *name, int port)
{
    char full[300];
    bool v6 = strchr(name, ':') != NULL;
    (void)snprintf(full, sizeof full, v6 ? "[%s]:%d" : "%s:%d", name, port);
    if (strcasecmp(host, full) == 0)
        return true;
    (void)snprintf(full, sizeof full, v6 ? "[%s]" : "%s", name);
    return port == 80 && strcasecmp(host, full) == 0;
}

bool wr_host_ok(const char *host, const char *listen, int port, const char *const *more, int n_more)
{
    static const char *const ours[] = {"localhost", "127.0.0.1", "::1"};
    if (!host)
        return false;
    if (host_is(host, listen, port))
        return true;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (host_is(host, ours[i], port))
            return true;
    for (int i = 0; i < n_more; i++) /* as given: behind a proxy the port is the proxy's */
        if (strcasecmp(host, more[i]) == 0 || host_is(host, more[i], port))
            return true;
    return false;
}

bool wr_origin_ok(const char *origin, const char *host)
{
    if (!origin)
        return true;
    if (!host)
        return false;
    const char *rest = strncasecmp(origin, "http://", 7) == 0 ? origin + 7 : strncasecmp(origin, "https://", 8) == 0 ? origin + 8 : NULL;
    return rest && strcasecmp(rest, host) == 0;
}

bool wr_json_type_ok(const char *t)
{
    static const char want[] = "application/json";
    if (!t || strncasecmp(t, want, sizeof want - 1) != 0)
        return false;
    t += sizeof want - 1;
    while (*t == ' ')
        t++;
    if (*t == 0)
        return true;
    if (*t++ != ';')
        return false;
    while (*t == ' ')
        t++;
    return strcasecmp(t, "charset=utf-8") == 0;
}
