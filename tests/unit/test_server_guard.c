/* test_server_guard.c: who may talk to the server: tokens, hosts, origins, body types, addresses, names, and which local files SQL may name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/internal.h"

static void tokens(void **state WR_UNUSED)
{
    assert_true(wr_token_equal("0123456789abcdef", "0123456789abcdef"));
    assert_false(wr_token_equal("0123456789abcdee", "0123456789abcdef"));
    assert_false(wr_token_equal("0123456789abcde", "0123456789abcdef"));
    assert_false(wr_token_equal("0123456789abcdef0", "0123456789abcdef"));
    assert_false(wr_token_equal("", "0123456789abcdef"));
    assert_false(wr_token_equal("", "")); /* no token set: nobody gets in */
}

static void hosts(void **state WR_UNUSED)
{
    static const char *const more[] = {"weir.example.org"};
    assert_true(wr_host_ok("127.0.0.1:8090", "127.0.0.1", 8090, NULL, 0));
    assert_true(wr_host_ok("localhost:8090", "127.0.0.1", 8090, NULL, 0));
    assert_true(wr_host_ok("LOCALHOST:8090", "127.0.0.1", 8090, NULL, 0));
    assert_true(wr_host_ok("[::1]:8090", "::1", 8090, NULL, 0));
    assert_true(wr_host_ok("localhost", "127.0.0.1", 80, NULL, 0));
    assert_false(wr_host_ok("localhost", "127.0.0.1", 8090, NULL, 0));
    assert_false(wr_host_ok("localhost:8091", "127.0.0.1", 8090, NULL, 0));
    assert_false(wr_host_ok("evil.example:8090", "127.0.0.1", 8090, NULL, 0));
    assert_false(wr_host_ok("127.0.0.1:8090.evil.example", "127.0.0.1", 8090, NULL, 0));
    assert_false(wr_host_ok("", "127.0.0.1", 8090, NULL, 0));
    assert_false(wr_host_ok(NULL, "127.0.0.1", 8090, NULL, 0));
    assert_true(wr_host_ok("weir.example.org", "10.0.0.1", 8090, more, 1));
    assert_true(wr_host_ok("weir.example.org:8090", "10.0.0.1", 8090, more, 1));
    assert_false(wr_host_ok("sub.weir.example.org", "10.0.0.1", 8090, more, 1));
}

static void origins(void **state WR_UNUSED)
{
    assert_true(wr_origin_ok(NULL, "localhost:8090"));
    assert_true(wr_origin_ok("http://localhost:8090", "localhost:8090"));
    assert_true(wr_origin_ok("https://weir.example.org", "weir.example.org"));
    assert_false(wr_origin_ok("http://127.0.0.1:8090", "localhost:8090"));
    assert_false(wr_origin_ok("http://localhost:8090.evil.example", "localhost:8090"));
    assert_false(wr_origin_ok("null", "localhost:8090"));
    assert_false(wr_origin_ok("", "localhost:8090"));
    assert_false(wr_origin_ok("file://localhost:8090", "localhost:8090"));
}

static void types(void **state WR_UNUSED)
{
    assert_true(wr_json_type_ok("application/json"));
    assert_true(wr_json_type_ok("Application/JSON"));
    assert_true(wr_json_type_ok("application/json; charset=utf-8"));
    assert_false(wr_json_type_ok("application/json; charset=latin1"));
    assert_false(wr_json_type_ok("application/jsonp"));
    assert_false(wr_json_type_ok("text/plain"));
    assert_false(wr_json_type_ok("text/plain; application/json"));
    assert_false(wr_json_type_ok(NULL));
}

static void addresses(void **state WR_UNUSED)
{
    char addr[64];
    int port;
    assert_true(wr_listen_parse("127.0.0.1:8090", addr, sizeof addr, &port));
    assert_string_equal(addr, "127.0.0.1");
    assert_int_equal(port, 8090);
    assert_true(wr_listen_parse("[::1]:0", addr, sizeof addr, &port));
    assert_string_equal(addr, "::1");
    assert_int_equal(port, 0);
    static const char *const wrong[] = {"8090", ":8090", "localhost:", "localhost:x", "localhost:70000", "localhost:-1", "::1:80", "[::1:80", "localhost:80x"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_false(wr_listen_parse(wrong[i], addr, sizeof addr, &port));
    assert_true(wr_addr_is_loopback("127.0.0.1"));
    assert_true(wr_addr_is_loopback("::1"));
    assert_false(wr_addr_is_loopback("0.0.0.0"));
    assert_false(wr_addr_is_loopback("192.168.0.1"));
}

static void names(void **state WR_UNUSED)
{
    assert_true(wr_job_name_ok(WR_STR("black-friday_2")));
    assert_false(wr_job_name_ok(WR_STR("")));
    assert_false(wr_job_name_ok(WR_STR("-x")));
    assert_false(wr_job_name_ok(WR_STR("..")));
    assert_false(wr_job_name_ok(WR_STR("a/b")));
    assert_false(wr_job_name_ok(WR_STR("a b")));
    assert_false(wr_job_name_ok(WR_STR("0123456789012345678901234567890123456789012345678901234567890123x")));
}

static bool allowed(const struct wr_server_opts *o, const char *dir, const char *rest)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s%s", dir, rest);
    return wr_path_allowed(o, wr_str_c(path));
}

static void files(void **state WR_UNUSED)
{
    char dir[] = "/tmp/weir-guard-XXXXXX", sub[64], link[64];
    assert_non_null(mkdtemp(dir));
    (void)snprintf(sub, sizeof sub, "%s/in", dir);
    (void)snprintf(link, sizeof link, "%s/in/link", dir);
    assert_int_equal(mkdir(sub, 0700), 0);
    assert_int_equal(symlink("/etc", link), 0);
    const char *const dirs[] = {sub};
    struct wr_server_opts none = {0}, one = {.n_dir = 1, .dir = dirs};
    assert_true(allowed(&one, sub, "/new.ndjson")); /* does not exist yet */
    assert_true(allowed(&one, sub, "/../in/new.ndjson"));
    assert_false(allowed(&one, sub, "/../out.ndjson"));
    assert_false(allowed(&one, sub, "side/x"));
    assert_false(allowed(&one, sub, "/link/passwd")); /* leads out */
    assert_false(allowed(&one, sub, "/no/such"));
    assert_false(allowed(&one, "/etc/passwd", ""));
    assert_false(allowed(&one, "-", ""));
    assert_false(allowed(&one, "", ""));
    assert_false(allowed(&none, sub, "/new.ndjson"));
    assert_int_equal(unlink(link), 0);
    assert_int_equal(rmdir(sub), 0);
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens), cmocka_unit_test(hosts), cmocka_unit_test(origins), cmocka_unit_test(types),
        cmocka_unit_test(addresses), cmocka_unit_test(names), cmocka_unit_test(files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
