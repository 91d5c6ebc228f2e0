/* test_func_regex.c: regular expressions and SIMILAR TO. Expected values: PostgreSQL 15's (pg_oracle.py), or by hand where noted. */
#include "tests/unit/expr_text.h"

static const struct expr_case regex[] = { /* pg */
    {"'abcd' ~ 'bc'", "t"},
    {"'abcd' ~ 'a.c'", "t"},
    {"'abcd' ~ '^b'", "f"},
    {"'abcd' ~ 'd$'", "t"},
    {"'ABCD' ~ 'bc'", "f"},
    {"'ABCD' ~* 'bc'", "t"},
    {"'ÄBC' ~* 'ä'", "t"},
    {"'abcd' !~ 'bc'", "f"},
    {"'abcd' !~ 'x'", "t"},
    {"'ABCD' !~* 'bc'", "f"},
    {"'a.c' ~ 'a\\.c'", "t"},
    {"'abc' ~ ''", "t"},
    {"'line1\nline2' ~ 'line1.line2'", "t"},
    {"'a\nb' ~ 'a$'", "f"},
    {"'the cat sat' ~ '\\mcat\\M'", "t"},
    {"'concat' ~ '\\mcat\\M'", "f"},
    {"'the cat' ~ '\\ycat\\y'", "t"},
    {"null ~ 'a'", "NULL"},
    {"'a' ~ null", "NULL"},
    {"'year 2025' ~ '\\d{4}'", "t"},
    {"'ñandú' ~ '^\\w+$'", "t"},
    {"substring('foobar', 'o.b')", "oob"},
    {"substring('foobar', 'o(.)b')", "o"},
    {"substring('foobar', 'x')", "NULL"},
    {"regexp_replace('foobarbaz', 'b..', 'X')", "fooXbaz"},
    {"regexp_replace('foobarbaz', 'b..', 'X', 'g')", "fooXX"},
    {"regexp_replace('foobarbaz', 'b(..)', 'X\\1Y', 'g')", "fooXarYXazY"},
    {"regexp_replace('foobarbaz', 'b(..)', '[\\&]', 'g')", "foo[bar][baz]"},
    {"regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 0, 'i')", "X PXstgrXSQL fXnctXXn"},
    {"regexp_replace('A PostgreSQL function', 'a|e|i|o|u', 'X', 1, 3, 'i')", "A PostgrXSQL function"},
    {"regexp_replace('foobarbaz', 'b..', 'X', 5)", "foobarX"},
    {"regexp_replace('abc', '', '-', 'g')", "-a-b-c-"},
    {"regexp_replace('äöü', '', '-', 'g')", "-ä-ö-ü-"},
    {"regexp_replace('abc', 'x', 'y')", "abc"},
    {"regexp_replace('abc', 'abc', '')", ""},
    {"regexp_replace('a\\b', '\\\\', '\\\\\\\\')", "a\\\\b"},
    {"regexp_match('foobarbequebaz', 'bar.*que')", "{barbeque}"},
    {"regexp_match('foobarbequebaz', '(bar)(beque)')", "{bar,beque}"},
    {"regexp_match('abc', '(x)?b')", "{NULL}"},
    {"regexp_match('abc', 'd.*')", "NULL"},
    {"regexp_match('ABC', 'b(c)', 'i')", "{C}"},
    {"regexp_count('123456789012', '\\d\\d\\d', 2)", "3"},
    {"regexp_count('ABCABCABCABC', 'abc', 1, 'i')", "4"},
    {"regexp_count('abc', '')", "4"},
    {"regexp_like('Hello World', 'world$', 'i')", "t"},
    {"regexp_like('Hello World', 'world$')", "f"},
    {"regexp_substr('number of your street, town zip, FR', '[^,]+', 1, 2)", " town zip"},
    {"regexp_substr('ABCDEFGHI', '(c..)(...)', 1, 1, 'i', 2)", "FGH"},
    {"regexp_substr('abc', 'x')", "NULL"},
    {"regexp_substr('abcabc', 'b', 3)", "b"},
    {"regexp_instr('number of your street, town zip, FR', '[^,]+', 1, 2)", "23"},
    {"regexp_instr('ABCDEFGHI', '(c..)(...)', 1, 1, 0, 'i', 2)", "6"},
    {"regexp_instr('ABCDEFGHI', 'def', 1, 1, 1, 'i')", "7"},
    {"regexp_instr('abc', 'x')", "0"},
    {"regexp_split_to_array('hello world', '\\s+')", "{hello,world}"},
    {"regexp_split_to_array('hello', '')", "{h,e,l,l,o}"},
    {"regexp_split_to_array('a,b,,c', ',')", "{a,b,\"\",c}"},
    {"regexp_split_to_array('abc', 'x')", "{abc}"},
    {"'abc' similar to 'abc'", "t"},
    {"'abc' similar to 'a'", "f"},
    {"'abc' similar to '%(b|d)%'", "t"},
    {"'abc' similar to '(b|c)%'", "f"},
    {"'abc' similar to 'a_c'", "t"},
    {"'aaab' similar to 'a+b'", "t"},
    {"'a.c' similar to 'a.c'", "t"},
    {"'abc' similar to 'a.c'", "f"},
    {"'a%c' similar to 'a#%c' escape '#'", "t"},
    {"'abc' similar to 'a[a-c]{2}'", "t"},
};

/* By hand. */
static const struct expr_case ours[] = {
    {"regexp_extract('channel_id=a&x', '(&|^)channel_id=([^&]*)', 2)", "a"},
    {"regexp_extract('abc', 'b')", "b"},
    {"regexp_extract('abc', 'x')", "NULL"},
    {"regexp_extract('abc', 'b', 1)", "!argument"},
    {"regexp_extract_all('a1b22', '\\d+')", "{1,22}"},
    {"regexp_extract_all('a1b22', '([a-z])(\\d)', 2)", "{1,2}"},
    {"regexp('abc', 'b')", "t"},
    {"regexp_like('a.c', 'a.c', 'q')", "t"},
    {"regexp_like('abc', 'a.c', 'q')", "f"},
    {"regexp_like('a\nb', '^b', 'n')", "t"},
    /* Catastrophic backtracking ends with the row, not with the job. */
    {"'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' ~ '^(a+)+$'", "!limit"},
    {"try('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' ~ '^(a+)+$')", "NULL"},
};

static const struct expr_case errors[] = {
    {"'a' ~ '('", "?invalid regular expression: missing closing parenthesis at character 2"},
    {"regexp_like('a', 'a', 'z')", "?invalid regular expression option: \"z\""},
};

static void regular_expressions_are_postgresqls(void **state WR_UNUSED) { RUN_CASES(regex); }
static void others_are_as_documented(void **state WR_UNUSED) { RUN_CASES(ours); }
static void wrong_patterns_are_errors(void **state WR_UNUSED) { RUN_CASES(errors); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regular_expressions_are_postgresqls),
        cmocka_unit_test(others_are_as_documented),
        cmocka_unit_test(wrong_patterns_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
