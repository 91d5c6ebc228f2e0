/* grammar.y: the statements of weir's SQL. Rules only: an action is one call of a builder (ast.c, ast_query.c, ast_stmt.c; see internal.h).
 *
 * Before tokens come here, settle.c has decided which words are keywords in their place; what is marked FREE in keywords.def and is not
 * expected as a keyword falls back to ID. lemon must report no conflict. Letters in rules: T is the token that gives a node its place,
 * Z the last one. */
%name wr_grammar
%token_prefix TK_
%token_type {struct wr_token *}
%extra_context {struct wr_parse *p}
%include {
#include <stdlib.h>
#define YYNOERRORRECOVERY 1
#include "parser/internal.h"
}
%stack_size 0
%start_symbol input
%syntax_error { (void)yymajor; wr_b_unexpected(p, TOKEN); }
%stack_overflow { wr_b_overflow(p); }

%fallback ID
    AFTER ANALYZE ANY ASC BEGIN BEGINNING CASCADE CHANGES CLOSE COMMENT CURRENT DEFINE DELAY DESC DESCRIBE DRAIN DROP ENCODE ENFORCED ESCAPE EVERY
    EXECUTE EXPLAIN FINAL FIRST FOLLOWING FORMAT FUNCTION IDLE IF INFER INSERT KEY LANGUAGE LAST LATENESS LOCAL MATCH MATERIALIZED MEASURES
    METADATA NEXT NULLS OF ONE ONLY ORDINALITY PAST PATH PATTERN PAUSE PER PERIODIC PLACING PRECEDING PRECISION PRINT REPLACE RESET RESTRICT
    RESUME RETURNING RETURNS ROW ROWS SAVEPOINT SET SETS SHOW SINK SKIP SOME SOURCE STATEMENT STOP STREAM SUBMIT SUBSET SYMMETRIC SYSTEM_TIME
    TEMPORARY TIME TIMEOUT TO UNBOUNDED UNKNOWN UPDATE VARYING VIEW VIRTUAL WHY WITHIN WITHOUT ZONE.

/* Three places where a longer reading is preferred: ORDER BY behind TABLE t, IGNORE NULLS behind f(f(x)), options behind ENCODE. */
%nonassoc SHORT.
%nonassoc ORDER IGNORE RESPECT LP.
/* Operators, weakest first, as PostgreSQL has them. */
%left UNION EXCEPT.
%left INTERSECT.
%left OR.
%left AND.
%right NOT.
%nonassoc IS.
%nonassoc EQ CMP LT GT.
%nonassoc BETWEEN IN LIKE ILIKE SIMILAR NOT_LA.
%nonassoc ESCAPE.
%left OP TILDE PIPE SHR.
%left PLUS MINUS.
%left STAR SLASH PERCENT.
%left CARET.
%left AT.
%right UMINUS.
%left TYPECAST.
%nonassoc RP.

input ::= stmt(S).              { p->stmt = wr_b_end(p, S); }
input ::= EXPR_ONLY expr(E).    { p->expr = E; }

/* ---- names ---- */

%type name {struct wr_ast_name *}
name(A) ::= ID(T).                      { A = wr_b_name(p, T); }
%type path {struct wr_ast_name *}
path(A) ::= name(N).                    { A = N; }
path(A) ::= path(L) DOT name(N).        { A = WR_APPEND(L, N); }
%type names {struct wr_ast_name *}
names(A) ::= name(N).                   { A = N; }
names(A) ::= names(L) COMMA name(N).    { A = WR_APPEND(L, N); }
%type names_opt {struct wr_ast_name *}
names_opt(A) ::= .                      { A = NULL; }
names_opt(A) ::= LP names(L) RP.        { A = L; }

/* ---- statements ---- */

%type stmt {struct wr_stmt *}
stmt(A) ::= plain(S).                   { A = S; }
stmt(A) ::= explain(S).                 { A = S; }
stmt(A) ::= SUBMIT(T) JOB name(N) AS plain(S).  { A = wr_b_submit(p, T, N, S); }
stmt(A) ::= SUBMIT(T) name(N) AS plain(S).      { A = wr_b_submit(p, T, N, S); }

/* what may be explained and submitted */
%type plain {struct wr_stmt *}
plain(A) ::= query(Q).                  { A = wr_b_stmt_query(p, Q); }
plain(A) ::= subquery(Q).               { A = wr_b_stmt_query(p, Q); }
plain(A) ::= insert(S).                 { A = S; }
plain(A) ::= statement_set(S).          { A = S; }
plain(A) ::= create(S).                 { A = S; }

/* ---- CREATE SOURCE, STREAM, TABLE, SINK ---- */

%type create {struct wr_stmt *}
create(A) ::= creating(S).              { A = S; }
create(A) ::= created(S).               { A = S; }
%type creating {struct wr_stmt *}
creating(A) ::= CREATE(T) create_flags(F) relation_kind(K) if_not_exists(X) path(N).    { A = wr_b_create(p, T, F, (enum wr_ast_skind)K, X, N); }
creating(A) ::= creating(S) LP(T) relation(R) RP.           { A = wr_b_create_columns(p, S, T, R); }
creating(A) ::= creating(S) WITH(T) LP options(O) RP.       { A = wr_b_create_options(p, S, T, O); }
creating(A) ::= creating(S) format(O).                      { A = wr_b_create_format(p, S, O); }
creating(A) ::= creating(S) FROM(T) path(N).                { A = wr_b_create_from(p, S, T, N); }
creating(A) ::= creating(S) COMMENT(T) STRING(C).           { A = wr_b_create_comment(p, S, T, C); }
/* options may also stand behind the query */
create(A) ::= created(S) WITH(T) LP options(O) RP.              { A = wr_b_create_options(p, S, T, O); }
create(A) ::= created(S) WITH(T) LP options(O) RP format(F).    { A = wr_b_create_format(p, wr_b_create_options(p, S, T, O), F); }
%type created {struct wr_stmt *}
created(A) ::= creating(S) AS query(Q).                     { A = wr_b_create_query(p, S, Q); }
created(A) ::= creating(S) AS subquery(Q).                  { A = wr_b_create_query(p, S, Q); }
%type format {struct wr_ast_option *}
format(A) ::= FORMAT name_token(R) ENCODE name_token(E).            [SHORT] { A = wr_b_format(p, R, E, NULL); }
format(A) ::= FORMAT name_token(R) ENCODE name_token(E) LP options(O) RP.   { A = wr_b_format(p, R, E, O); }

%type name_token {struct wr_token *}
name_token(A) ::= ID(T).                { A = T; }
%type create_flags {int}
create_flags(A) ::= .                               { A = 0; }
create_flags(A) ::= create_flags(F) OR REPLACE.     { A = F | WR_B_REPLACE; }
create_flags(A) ::= create_flags(F) TEMPORARY.      { A = F | WR_B_TEMPORARY; }
create_flags(A) ::= create_flags(F) MATERIALIZED.   { A = F | WR_B_MATERIALIZED; }
%type relation_kind {int}
relation_kind(A) ::= SOURCE.            { A = WR_S_CREATE_SOURCE; }
relation_kind(A) ::= STREAM.            { A = WR_S_CREATE_SOURCE; }
relation_kind(A) ::= TABLE.             { A = WR_S_CREATE_TABLE; }
relation_kind(A) ::= SINK.              { A = WR_S_CREATE_SINK; }
%type if_not_exists {bool}
if_not_exists(A) ::= .                  { A = false; }
if_not_exists(A) ::= IF NOT EXISTS.     { A = true; }
%type if_exists {bool}
if_exists(A) ::= .                      { A = false; }
if_exists(A) ::= IF EXISTS.             { A = true; }

%type relation {struct wr_ast_relation *}
relation(A) ::= column(C).                      { A = wr_b_rel_column(p, wr_b_relation(p), C); }
relation(A) ::= relation(R) COMMA column(C).    { A = wr_b_rel_column(p, R, C); }
relation(A) ::= relation(R) COMMA PRIMARY(T) KEY LP names(N) RP not_enforced(E).        { A = wr_b_rel_key(p, R, T, N, E); }
relation(A) ::= relation(R) COMMA CONSTRAINT name PRIMARY(T) KEY LP names(N) RP not_enforced(E). { A = wr_b_rel_key(p, R, T, N, E); }
relation(A) ::= relation(R) COMMA WATERMARK(T) FOR name(N).             { A = wr_b_rel_watermark(p, R, T, N, NULL); }
relation(A) ::= relation(R) COMMA WATERMARK(T) FOR name(N) AS expr(E).  { A = wr_b_rel_watermark(p, R, T, N, E); }
relation(A) ::= PRIMARY(T) KEY LP names(N) RP not_enforced(E).          { A = wr_b_rel_key(p, wr_b_relation(p), T, N, E); }
relation(A) ::= WATERMARK(T) FOR name(N).                               { A = wr_b_rel_watermark(p, wr_b_relation(p), T, N, NULL); }
relation(A) ::= WATERMARK(T) FOR name(N) AS expr(E).                    { A = wr_b_rel_watermark(p, wr_b_relation(p), T, N, E); }
relation(A) ::= LIKE(T) path.           { A = wr_b_relation(p); wr_b_refuse(p, T->off, "LIKE in a list of columns", "write the columns out"); }
%type not_enforced {bool}
not_enforced(A) ::= .                   { A = false; }
not_enforced(A) ::= NOT_ENF ENFORCED.   { A = true; }

%type column {struct wr_ast_column *}
column(A) ::= name(N).                                      { A = wr_b_coldef(p, N, NULL); }
column(A) ::= name(N) type(T).                              { A = wr_b_coldef(p, N, T); }
column(A) ::= column(C) NOT(T) NULL(Z).                     { A = wr_b_col_flag(p, C, T, TK_NOT, Z); }
column(A) ::= column(C) NULL(T).                            { A = wr_b_col_flag(p, C, T, TK_NULL, T); }
column(A) ::= column(C) PRIMARY(T) KEY(Z).                  { A = wr_b_col_flag(p, C, T, TK_PRIMARY, Z); }
column(A) ::= column(C) PRIMARY(T) KEY NOT_ENF ENFORCED(Z). { A = wr_b_col_flag(p, C, T, TK_PRIMARY, Z); }
column(A) ::= column(C) VIRTUAL(T).                         { A = wr_b_col_flag(p, C, T, TK_VIRTUAL, T); }
column(A) ::= column(C) PATH(T) STRING(S).                  { A = wr_b_col_path(p, C, T, S); }
column(A) ::= column(C) METADATA(T).                        { A = wr_b_col_meta(p, C, T, NULL); }
column(A) ::= column(C) METADATA(T) FROM STRING(S).         { A = wr_b_col_meta(p, C, T, S); }
column(A) ::= column(C) AS(T) expr(E).                      { A = wr_b_col_computed(p, C, T, E); }
column(A) ::= column(C) DEFAULT(T) expr(E).                 { A = wr_b_col_default(p, C, T, E); }
column(A) ::= column(C) COMMENT(T) STRING(S).               { A = wr_b_col_comment(p, C, T, S); }

/* key = value */
%type options {struct wr_ast_option *}
options(A) ::= option(O).                   { A = O; }
options(A) ::= options(L) COMMA option(O).  { A = WR_APPEND(L, O); }
%type options_opt {struct wr_ast_option *}
options_opt(A) ::= .                        { A = NULL; }
options_opt(A) ::= WITH LP options(O) RP.   { A = O; }
%type option {struct wr_ast_option *}
option(A) ::= key(K) EQ value(V).           { A = wr_b_option(p, K, V); }
%type key {struct wr_key *}
key(A) ::= word_key(K).                     { A = K; }
key(A) ::= STRING(T).                       { A = wr_b_key(p, NULL, NULL, T); }
%type word_key {struct wr_key *}
word_key(A) ::= ID(T).                      { A = wr_b_key(p, NULL, NULL, T); }
word_key(A) ::= word_key(K) DOT(S) ID(T).   { A = wr_b_key(p, K, S, T); }
word_key(A) ::= word_key(K) MINUS(S) ID(T). { A = wr_b_key(p, K, S, T); }
%type value {struct wr_key *}
value(A) ::= word_key(K).                   { A = K; }
value(A) ::= STRING(T).                     { A = wr_b_value(p, NULL, T); }
value(A) ::= number(T).                     { A = wr_b_value(p, NULL, T); }
value(A) ::= PLUS|MINUS(S) number(T).       { A = wr_b_value(p, S, T); }
value(A) ::= TRUE(T).                       { A = wr_b_value(p, NULL, T); }
value(A) ::= FALSE(T).                      { A = wr_b_value(p, NULL, T); }
value(A) ::= ON(T).                         { A = wr_b_value(p, NULL, T); }
%type number {struct wr_token *}
number(A) ::= INT(T).                       { A = T; }
number(A) ::= NUM(T).                       { A = T; }

/* ---- CREATE VIEW, CREATE FUNCTION ---- */

create(A) ::= CREATE(T) create_flags(F) VIEW if_not_exists(X) path(N) names_opt(C) AS query(Q).     { A = wr_b_view(p, T, F, X, N, C, Q); }
create(A) ::= CREATE(T) create_flags(F) VIEW if_not_exists(X) path(N) names_opt(C) AS subquery(Q).  { A = wr_b_view(p, T, F, X, N, C, Q); }

stmt(A) ::= function(S).                            { A = S; }
%type function {struct wr_stmt *}
function(A) ::= CREATE(T) create_flags(F) FUNCTION if_not_exists(X) path(N) LP params_opt(P) RP RETURNS type(Y). { A = wr_b_function(p, T, F, X, N, P, Y); }
function(A) ::= function(S) LANGUAGE(T) name_token(L).              { A = wr_b_function_language(p, S, T, L); }
function(A) ::= function(S) AS(T) STRING(B).                        { A = wr_b_function_body(p, S, T, B, NULL); }
function(A) ::= function(S) AS(T) STRING(B) COMMA STRING(Y).        { A = wr_b_function_body(p, S, T, B, Y); }
%type params_opt {struct wr_ast_param *}
params_opt(A) ::= .                             { A = NULL; }
params_opt(A) ::= params(L).                    { A = L; }
%type params {struct wr_ast_param *}
params(A) ::= param(P).                         { A = P; }
params(A) ::= params(L) COMMA param(P).         { A = WR_APPEND(L, P); }
%type param {struct wr_ast_param *}
param(A) ::= name(N) type(T).                   { A = wr_b_param(p, N, T); }

/* ---- DROP, SHOW, DESCRIBE, SET, jobs ---- */

stmt(A) ::= DROP(T) object(W) if_exists(X) names(N) cascade(C).     { A = wr_b_drop(p, T, W, X, N, C); }
stmt(A) ::= DROP(T) JOB if_exists(X) job(N).                        { A = wr_b_on_name(p, WR_S_DROP_JOB, T, "", N); A->if_exists = X; }
%type object {const char *}
object(A) ::= SOURCE.               { A = "source"; }
object(A) ::= STREAM.               { A = "source"; }
object(A) ::= TABLE.                { A = "table"; }
object(A) ::= SINK.                 { A = "sink"; }
object(A) ::= VIEW.                 { A = "view"; }
object(A) ::= MATERIALIZED VIEW.    { A = "view"; }
object(A) ::= FUNCTION.             { A = "function"; }
%type cascade {bool}
cascade(A) ::= .                    { A = false; }
cascade(A) ::= CASCADE.             { A = true; }
cascade(A) ::= RESTRICT.            { A = false; }

stmt(A) ::= SHOW(T) word_key(K).                        { A = wr_b_show(p, T, K); }
stmt(A) ::= SHOW(T) ALL(Z).                             { A = wr_b_show(p, T, wr_b_value(p, NULL, Z)); }
stmt(A) ::= SHOW(T) CREATE path(N).                     { A = wr_b_on_name(p, WR_S_SHOW_CREATE, T, "", N); }
stmt(A) ::= SHOW(T) CREATE object(W) path(N).           { A = wr_b_on_name(p, WR_S_SHOW_CREATE, T, W, N); }
stmt(A) ::= DESCRIBE|DESC(T) path(N).                   { A = wr_b_on_name(p, WR_S_DESCRIBE, T, "", N); }
stmt(A) ::= DESCRIBE|DESC(T) JOB job(N).                { A = wr_b_on_name(p, WR_S_DESCRIBE, T, "job", N); }
stmt(A) ::= SET(T) key(K) EQ|TO value(V).               { A = wr_b_set(p, T, K, V); }
stmt(A) ::= SET(T) key(K) EQ|TO DEFAULT(Z).             { A = wr_b_reset(p, T, K, Z); }
stmt(A) ::= RESET(T) key(K).                            { A = wr_b_reset(p, T, K, NULL); }
stmt(A) ::= RESET(T) ALL(Z).                            { A = wr_b_reset(p, T, NULL, Z); }

stmt(A) ::= stop(S).                                    { A = S; }
%type stop {struct wr_stmt *}
stop(A) ::= STOP(T) JOB job(N).                         { A = wr_b_on_name(p, WR_S_STOP_JOB, T, "", N); }
stop(A) ::= stop(S) WITH SAVEPOINT(T).                  { A = wr_b_stop(p, S, T, true); }
stop(A) ::= stop(S) WITH DRAIN(T).                      { A = wr_b_stop(p, S, T, false); }
stmt(A) ::= RESUME(T) JOB job(N).                       { A = wr_b_on_name(p, WR_S_RESUME_JOB, T, "", N); }
stmt(A) ::= PAUSE(T) JOB job(N).                        { A = wr_b_on_name(p, WR_S_PAUSE_JOB, T, "", N); }
%type job {struct wr_ast_name *}
job(A) ::= name(N).                                     { A = N; }
job(A) ::= STRING(T).                                   { A = wr_b_string_name(p, T); }

/* ---- EXPLAIN, INSERT, statement sets, PRINT, INFER ---- */

%type explain {struct wr_stmt *}
explain(A) ::= EXPLAIN(T) plain(S).                                 { A = wr_b_explain(p, T, false, NULL, S, NULL); }
explain(A) ::= EXPLAIN(T) LP explain_list(O) RP plain(S).           { A = wr_b_explain(p, T, false, O, S, NULL); }
explain(A) ::= EXPLAIN(T) ANALYZE plain(S).                         { A = wr_b_explain(p, T, true, NULL, S, NULL); }
explain(A) ::= EXPLAIN(T) ANALYZE LP explain_list(O) RP plain(S).   { A = wr_b_explain(p, T, true, O, S, NULL); }
explain(A) ::= EXPLAIN(T) ANALYZE job(N).                       { A = wr_b_explain(p, T, true, NULL, NULL, N); }
explain(A) ::= EXPLAIN(T) WHY.                                  { A = wr_b_on_name(p, WR_S_EXPLAIN_WHY, T, "", NULL); }
explain(A) ::= EXPLAIN(T) WHY job(N).                           { A = wr_b_on_name(p, WR_S_EXPLAIN_WHY, T, "", N); }
%type explain_list {struct wr_ast_option *}
explain_list(A) ::= explain_option(O).                          { A = O; }
explain_list(A) ::= explain_list(L) COMMA explain_option(O).    { A = WR_APPEND(L, O); }
%type explain_option {struct wr_ast_option *}
explain_option(A) ::= word_key(K).                              { A = wr_b_option(p, K, NULL); }
explain_option(A) ::= word_key(K) ID(T).                        { A = wr_b_option(p, K, wr_b_key(p, NULL, NULL, T)); }
explain_option(A) ::= word_key(K) TRUE|FALSE(T).                { A = wr_b_option(p, K, wr_b_value(p, NULL, T)); }
explain_option(A) ::= word_key(K) EQ value(V).                  { A = wr_b_option(p, K, V); }

%type insert {struct wr_stmt *}
insert(A) ::= INSERT(T) INTO path(N) query(Q).                      { A = wr_b_insert(p, T, N, NULL, Q); }
insert(A) ::= INSERT(T) INTO path(N) subquery(Q).                   { A = wr_b_insert(p, T, N, NULL, Q); }
insert(A) ::= INSERT(T) INTO path(N) LP names(C) RP query(Q).       { A = wr_b_insert(p, T, N, C, Q); }
insert(A) ::= INSERT(T) INTO path(N) LP names(C) RP subquery(Q).    { A = wr_b_insert(p, T, N, C, Q); }
%type statement_set {struct wr_stmt *}
statement_set(A) ::= EXECUTE(T) STATEMENT SET BEGIN inserts(L) semi_opt END(Z). { A = wr_b_statement_set(p, T, L, Z); }
statement_set(A) ::= BEGIN(T) STATEMENT SET SEMI inserts(L) semi_opt END(Z).    { A = wr_b_statement_set(p, T, L, Z); }
%type inserts {struct wr_stmt *}
inserts(A) ::= insert(S).                               { A = wr_b_end(p, S); }
inserts(A) ::= inserts(L) SEMI insert(S).               { A = WR_APPEND(L, wr_b_end(p, S)); }
semi_opt ::= .
semi_opt ::= SEMI.

stmt(A) ::= PRINT(T) topic(S) beginning(B) print_limit(L) options_opt(O).   { A = wr_b_print(p, T, S, B, L, O); }
stmt(A) ::= INFER(T) SOURCE FROM topic(S) options_opt(O).                   { A = wr_b_infer(p, T, S, O); }
%type topic {struct wr_token *}
topic(A) ::= STRING(T).                 { A = T; }
topic(A) ::= ID(T).                     { A = T; }
%type beginning {bool}
beginning(A) ::= .                      { A = false; }
beginning(A) ::= FROM BEGINNING.        { A = true; }
%type print_limit {struct wr_ast_expr *}
print_limit(A) ::= .                    { A = NULL; }
print_limit(A) ::= LIMIT INT(T).        { A = wr_b_literal(p, WR_E_INT, T); }

/* ---- queries ----
 * query: not wholly in parentheses; subquery: in one or more pairs of them; operand: either, as a side of UNION. */

%type query {struct wr_ast_select *}
query(A) ::= core(Q).                                   { A = wr_b_query(p, NULL, NULL, Q, NULL); }
query(A) ::= core(Q) tail(T).                           { A = wr_b_query(p, NULL, NULL, Q, T); }
query(A) ::= subquery(Q) tail(T).                       { A = wr_b_query(p, NULL, NULL, Q, T); }
query(A) ::= WITH(W) ctes(C) operand(Q).                { A = wr_b_query(p, W, C, Q, NULL); }
query(A) ::= WITH(W) ctes(C) operand(Q) tail(T).        { A = wr_b_query(p, W, C, Q, T); }
query(A) ::= WITH RECURSIVE(T) ctes operand(Q).         { A = Q; wr_b_refuse(p, T->off, "WITH RECURSIVE", NULL); }
%type subquery {struct wr_ast_select *}
subquery(A) ::= LP(T) query(Q) RP(Z).                   { A = wr_b_query_paren(p, T, Q, Z); }
subquery(A) ::= LP(T) subquery(Q) RP(Z).                { A = wr_b_query_paren(p, T, Q, Z); }
%type operand {struct wr_ast_select *}
operand(A) ::= core(Q).                                 { A = Q; }
operand(A) ::= subquery(Q).                             { A = Q; }

%type core {struct wr_ast_select *}
core(A) ::= operand(L) UNION all_opt(D) operand(R).     [UNION]     { A = wr_b_setop(p, L, WR_SET_OP_UNION, D, R); }
core(A) ::= operand(L) EXCEPT all_opt(D) operand(R).    [EXCEPT]    { A = wr_b_setop(p, L, WR_SET_OP_EXCEPT, D, R); }
core(A) ::= operand(L) INTERSECT all_opt(D) operand(R). [INTERSECT] { A = wr_b_setop(p, L, WR_SET_OP_INTERSECT, D, R); }
core(A) ::= VALUES(T) rows(R).                          { A = wr_b_values(p, T, R); }
core(A) ::= qualified(S).                               { A = S; }
%type all_opt {bool}
all_opt(A) ::= .                        { A = false; }
all_opt(A) ::= ALL.                     { A = true; }
all_opt(A) ::= DISTINCT.                { A = false; }
%type rows {struct wr_ast_row *}
rows(A) ::= row(R).                     { A = R; }
rows(A) ::= rows(L) COMMA row(R).       { A = WR_APPEND(L, R); }
%type row {struct wr_ast_row *}
row(A) ::= LP(T) exprs(L) RP(Z).        { A = wr_b_row(p, T, L, Z); }
row(A) ::= ROWC(T) LP exprs(L) RP(Z).   { A = wr_b_row(p, T, L, Z); }

/* The clauses of SELECT, one nonterminal for how far one has come. */
%type select {struct wr_ast_select *}
select(A) ::= SELECT(T) items(I).                   { A = wr_b_select(p, T, false, I); }
select(A) ::= SELECT(T) ALL items(I).               { A = wr_b_select(p, T, false, I); }
select(A) ::= SELECT(T) DISTINCT items(I).          { A = wr_b_select(p, T, true, I); }
select(A) ::= SELECT(T) DISTINCT ON LP exprs(L) RP items(I). { A = wr_b_select(p, T, false, I); A->distinct_on = L; wr_b_over(p, A, L); }
%type from {struct wr_ast_select *}
from(A) ::= select(S).                              { A = S; }
from(A) ::= select(S) FROM tables(F).               { A = wr_b_from(p, S, F); }
from(A) ::= select(S) FROM tables(F) wm_here(W).    { A = wr_b_select_wm(p, wr_b_from(p, S, F), W); }
%type where {struct wr_ast_select *}
where(A) ::= from(S).                               { A = S; }
where(A) ::= from(S) WHERE expr(E).                 { A = wr_b_clause(p, S, WR_CLAUSE_WHERE, E); }
where(A) ::= from(S) WHERE expr(E) wm_here(W).      { A = wr_b_select_wm(p, wr_b_clause(p, S, WR_CLAUSE_WHERE, E), W); }
%type group {struct wr_ast_select *}
group(A) ::= where(S).                              { A = S; }
group(A) ::= where(S) GROUP BY group_list(G).       { A = wr_b_group_by(p, S, G, NULL); }
group(A) ::= where(S) GROUP BY LP RP(Z).            { A = wr_b_group_by(p, S, NULL, Z); }
group(A) ::= where(S) GROUP BY group_list(G) wm_here(W). { A = wr_b_select_wm(p, wr_b_group_by(p, S, G, NULL), W); }
%type having {struct wr_ast_select *}
having(A) ::= group(S).                             { A = S; }
having(A) ::= group(S) HAVING expr(E).              { A = wr_b_clause(p, S, WR_CLAUSE_HAVING, E); }
having(A) ::= group(S) HAVING expr(E) wm_here(W).   { A = wr_b_select_wm(p, wr_b_clause(p, S, WR_CLAUSE_HAVING, E), W); }
%type windowed {struct wr_ast_select *}
windowed(A) ::= having(S).                          { A = S; }
windowed(A) ::= having(S) WINDOW windows(W).        { A = wr_b_windows(p, S, W); }
%type qualified {struct wr_ast_select *}
qualified(A) ::= windowed(S).                       { A = S; }
qualified(A) ::= windowed(S) QUALIFY expr(E).       { A = wr_b_clause(p, S, WR_CLAUSE_QUALIFY, E); }
qualified(A) ::= windowed(S) QUALIFY expr(E) wm_here(W). { A = wr_b_select_wm(p, wr_b_clause(p, S, WR_CLAUSE_QUALIFY, E), W); }

%type items {struct wr_ast_item *}
items(A) ::= item(I).                               { A = I; }
items(A) ::= items(L) COMMA item(I).                { A = WR_APPEND(L, I); }
%type item {struct wr_ast_item *}
item(A) ::= expr(E).                                { A = wr_b_item(p, E, NULL); }
item(A) ::= expr(E) AS name(N).                     { A = wr_b_item(p, E, N); }
item(A) ::= expr(E) name(N).                        { A = wr_b_item(p, E, N); }
item(A) ::= STAR(T).                                { A = wr_b_item(p, wr_b_star(p, NULL, T), NULL); }
item(A) ::= prim(E) DOT STAR(T).                    { A = wr_b_item(p, wr_b_star(p, E, T), NULL); }

%type ctes {struct wr_ast_cte *}
ctes(A) ::= cte(C).                                 { A = C; }
ctes(A) ::= ctes(L) COMMA cte(C).                   { A = WR_APPEND(L, C); }
%type cte {struct wr_ast_cte *}
cte(A) ::= name(N) names_opt(C) AS subquery(Q).     { A = wr_b_cte(p, N, C, Q); }

%type group_list {struct wr_ast_group *}
group_list(A) ::= group_item(G).                    { A = G; }
group_list(A) ::= group_list(L) COMMA group_item(G). { A = WR_APPEND(L, G); }
%type group_item {struct wr_ast_group *}
group_item(A) ::= expr(E).                          { A = wr_b_group(p, E); }
group_item(A) ::= GROUPING(T) SETS LP group_sets(L) RP. { A = wr_b_group_sets(p, T, L); }
%type group_sets {struct wr_ast_group *}
group_sets(A) ::= group_set(G).                     { A = G; }
group_sets(A) ::= group_sets(L) COMMA group_set(G). { A = WR_APPEND(L, G); }
%type group_set {struct wr_ast_group *}
group_set(A) ::= group_item(G).                     { A = wr_b_group_set(p, G, NULL, NULL); }
group_set(A) ::= LP(T) RP(Z).                       { A = wr_b_group_set(p, NULL, T, Z); }

%type windows {struct wr_ast_window_def *}
windows(A) ::= window(W).                           { A = W; }
windows(A) ::= windows(L) COMMA window(W).          { A = WR_APPEND(L, W); }
%type window {struct wr_ast_window_def *}
window(A) ::= name(N) AS over_spec(O).              { A = wr_b_window_def(p, N, O); }

/* Behind a whole query, in any order. */
%type tail {struct wr_tail *}
tail(A) ::= ORDER(T) BY orders(L).          { A = wr_b_tail(p, NULL, &(struct wr_tail){.order = L}, T); }
tail(A) ::= tail(I) ORDER(T) BY orders(L).  { A = wr_b_tail(p, I, &(struct wr_tail){.order = L}, T); }
tail(A) ::= limit(L).                       { A = wr_b_tail(p, NULL, L, NULL); }
tail(A) ::= tail(I) limit(L).               { A = wr_b_tail(p, I, L, NULL); }
tail(A) ::= wm(W).                          { A = wr_b_tail(p, NULL, &(struct wr_tail){.watermark = W, .off = W->off}, NULL); }
tail(A) ::= tail(I) wm(W).                  { A = wr_b_tail(p, I, &(struct wr_tail){.watermark = W, .off = W->off}, NULL); }
tail(A) ::= emit(E).                        { A = wr_b_tail(p, NULL, &(struct wr_tail){.emit = E, .off = E->off}, NULL); }
tail(A) ::= tail(I) emit(E).                { A = wr_b_tail(p, I, &(struct wr_tail){.emit = E, .off = E->off}, NULL); }
%type limit {struct wr_tail *}
limit(A) ::= LIMIT(T) expr(E).                      { A = wr_b_tail(p, NULL, &(struct wr_tail){.limit = E, .limited = true}, T); }
limit(A) ::= LIMIT(T) ALL.                          { A = wr_b_tail(p, NULL, &(struct wr_tail){.limited = true}, T); }
limit(A) ::= OFFSET(T) INT(N) rows_word_opt.        { A = wr_b_tail(p, NULL, &(struct wr_tail){.offset = wr_b_literal(p, WR_E_INT, N)}, T); }
limit(A) ::= FETCH(T) FIRST|NEXT INT(N) ROW|ROWS ONLY. { A = wr_b_tail(p, NULL, &(struct wr_tail){.limit = wr_b_literal(p, WR_E_INT, N), .limited = true}, T); }
rows_word_opt ::= .
rows_word_opt ::= ROW|ROWS.

%type wm {struct wr_ast_watermark *}
wm(A) ::= WITH_WM(T) WATERMARK duration(D) idle(I) lateness(L).             { A = wr_b_watermark(p, T, D, I, L); }
%type wm_here {struct wr_ast_watermark *}
wm_here(A) ::= WITH_WM_FROM(T) WATERMARK duration(D) idle(I) lateness(L).   { A = wr_b_watermark(p, T, D, I, L); }
%type idle {struct wr_ast_expr *}
idle(A) ::= .                               { A = NULL; }
idle(A) ::= IDLE TIMEOUT duration(D).       { A = D; }
%type lateness {struct wr_ast_expr *}
lateness(A) ::= .                           { A = NULL; }
lateness(A) ::= LATENESS duration(D).       { A = D; }
%type duration {struct wr_ast_expr *}
duration(A) ::= STRING(T).                  { A = wr_b_literal(p, WR_E_STRING, T); }
duration(A) ::= interval(E).                { A = E; }
duration(A) ::= number(T) UNIT(U).          { A = wr_b_interval(p, T, NULL, T, U, NULL); }

%type emit {struct wr_ast_emit *}
emit(A) ::= EMIT(T) CHANGES(Z).                         { A = wr_b_emit(p, T, WR_AST_EMIT_CHANGES, NULL, NULL, Z); }
emit(A) ::= EMIT(T) CHANGES EVERY duration(D).          { A = wr_b_emit(p, T, WR_AST_EMIT_CHANGES, D, NULL, NULL); }
emit(A) ::= EMIT(T) ON UPDATE(Z).                       { A = wr_b_emit(p, T, WR_AST_EMIT_CHANGES, NULL, NULL, Z); }
emit(A) ::= EMIT(T) ON UPDATE EVERY duration(D).        { A = wr_b_emit(p, T, WR_AST_EMIT_CHANGES, D, NULL, NULL); }
emit(A) ::= EMIT(T) EVERY|PERIODIC duration(D).         { A = wr_b_emit(p, T, WR_AST_EMIT_CHANGES, D, NULL, NULL); }
emit(A) ::= EMIT(T) FINAL(Z).                           { A = wr_b_emit(p, T, WR_AST_EMIT_FINAL, NULL, NULL, Z); }
emit(A) ::= EMIT(T) ON WINDOW CLOSE(Z).                 { A = wr_b_emit(p, T, WR_AST_EMIT_FINAL, NULL, NULL, Z); }
emit(A) ::= EMIT(T) AFTER WINDOW CLOSE(Z).              { A = wr_b_emit(p, T, WR_AST_EMIT_FINAL, NULL, NULL, Z); }
emit(A) ::= EMIT(T) AFTER WINDOW CLOSE WITH_DELAY DELAY duration(D). { A = wr_b_emit(p, T, WR_AST_EMIT_FINAL, NULL, D, NULL); }

/* ---- FROM ---- */

%type tables {struct wr_ast_table *}
tables(A) ::= joined(T).                            { A = T; }
tables(A) ::= tables(L) COMMA joined(R).            { A = wr_b_join(p, L, WR_JOIN_CROSS, false, R, NULL, NULL); }
%type joined {struct wr_ast_table *}
joined(A) ::= table(T).                             { A = T; }
joined(A) ::= joined(L) CROSS JOIN table(R).        { A = wr_b_join(p, L, WR_JOIN_CROSS, false, R, NULL, NULL); }
joined(A) ::= joined(L) join(J) table(R) ON expr(E).    { A = wr_b_join(p, L, (enum wr_ast_join)J, false, R, E, NULL); }
joined(A) ::= joined(L) join(J) table(R) USING LP names(N) RP. { A = wr_b_join(p, L, (enum wr_ast_join)J, false, R, NULL, N); }
joined(A) ::= joined(L) NATURAL join(J) table(R).   { A = wr_b_join(p, L, (enum wr_ast_join)J, true, R, NULL, NULL); }
%type join {int}
join(A) ::= JOIN.                   { A = WR_JOIN_INNER; }
join(A) ::= INNER JOIN.             { A = WR_JOIN_INNER; }
join(A) ::= LEFT outer_opt JOIN.    { A = WR_JOIN_LEFT; }
join(A) ::= RIGHT outer_opt JOIN.   { A = WR_JOIN_RIGHT; }
join(A) ::= FULL outer_opt JOIN.    { A = WR_JOIN_FULL; }
outer_opt ::= .
outer_opt ::= OUTER.

/* bare: without an alias so far */
%type table {struct wr_ast_table *}
table(A) ::= bare(T).                               { A = T; }
table(A) ::= aliased(T).                            { A = T; }
%type aliased {struct wr_ast_table *}
aliased(A) ::= bare(T) alias(N).                    { A = wr_b_table_alias(p, T, N, NULL, NULL); }
aliased(A) ::= bare(T) alias(N) LP names(C) RP(Z).  { A = wr_b_table_alias(p, T, N, C, Z); }
aliased(A) ::= aliased(T) WITH_ORD(Z) ORDINALITY.   { A = wr_b_table_ordinality(p, T, Z); }
aliased(A) ::= aliased(T) FOR(Z) SYSTEM_TIME AS OF expr(E).         { A = wr_b_table_as_of(p, T, Z, E); }
aliased(A) ::= aliased(T) WATERMARK(Z) prim(C) DELAY OF duration(D). { A = wr_b_table_wm(p, T, Z, C, D); }
%type alias {struct wr_ast_name *}
alias(A) ::= name(N).                               { A = N; }
alias(A) ::= AS name(N).                            { A = N; }
%type bare {struct wr_ast_table *}
bare(A) ::= path(N).                                { A = wr_b_table_name(p, N); }
bare(A) ::= subquery(Q).                            [UMINUS] { A = wr_b_table_query(p, Q, NULL); }
bare(A) ::= LATERAL(L) subquery(Q).                 [UMINUS] { A = wr_b_table_query(p, Q, L); }
bare(A) ::= path(N) LP args_opt(L) RP(Z).           { A = wr_b_table_call(p, N, L, NULL, Z); }
bare(A) ::= LATERAL(T) path(N) LP args_opt(L) RP(Z). { A = wr_b_table_call(p, N, L, T, Z); }
bare(A) ::= TABLE LP path(N) LP args_opt(L) RP RP(Z). { A = wr_b_table_call(p, N, L, NULL, Z); }
bare(A) ::= LATERAL(T) TABLE LP path(N) LP args_opt(L) RP RP(Z). { A = wr_b_table_call(p, N, L, T, Z); }
bare(A) ::= LP(T) joined(J) RP(Z).                  { A = wr_b_table_paren(p, T, J, Z); }
bare(A) ::= bare(T) WITH_ORD(Z) ORDINALITY.         { A = wr_b_table_ordinality(p, T, Z); }
bare(A) ::= bare(T) FOR(Z) SYSTEM_TIME AS OF expr(E).            { A = wr_b_table_as_of(p, T, Z, E); }
bare(A) ::= bare(T) WATERMARK(Z) prim(C) DELAY OF duration(D).   { A = wr_b_table_wm(p, T, Z, C, D); }
bare(A) ::= table(T) MATCH_RECOGNIZE(M) LP match(B) RP(Z).       { A = wr_b_table_match(p, T, M, B, Z); }

/* ---- MATCH_RECOGNIZE ---- */

%type match {struct wr_ast_match *}
match(A) ::= match_skip(M) PATTERN(T) LP pattern(P) RP within(W) subset_opt DEFINE defines(D). { A = wr_b_match_done(p, M, T, P, W, D); }
%type match_part {struct wr_ast_match *}
match_part(A) ::= .                                             { A = wr_b_match(p, NULL); }
match_part(A) ::= PARTITION(T) BY exprs(L).                     { A = wr_b_match(p, T); A->partition = L; }
%type match_order {struct wr_ast_match *}
match_order(A) ::= match_part(M).                               { A = M; }
match_order(A) ::= match_part(M) ORDER BY orders(L).            { A = M; M->order = L; }
%type match_measures {struct wr_ast_match *}
match_measures(A) ::= match_order(M).                           { A = M; }
match_measures(A) ::= match_order(M) MEASURES measures(L).      { A = M; M->measures = L; }
%type match_rows {struct wr_ast_match *}
match_rows(A) ::= match_measures(M).                            { A = M; }
match_rows(A) ::= match_measures(M) ONE ROW PER MATCH.          { A = M; }
match_rows(A) ::= match_measures(M) ALL ROWS PER MATCH.         { A = M; M->all_rows = true; }
%type match_skip {struct wr_ast_match *}
match_skip(A) ::= match_rows(M).                                { A = M; }
match_skip(A) ::= match_rows(M) AFTER MATCH SKIP PAST LAST ROW. { A = M; }
match_skip(A) ::= match_rows(M) AFTER MATCH SKIP TO NEXT ROW.   { A = M; M->skip = WR_SKIP_NEXT_ROW; }
match_skip(A) ::= match_rows(M) AFTER MATCH SKIP TO FIRST name(N). { A = M; M->skip = WR_SKIP_FIRST; M->skip_to = N; }
match_skip(A) ::= match_rows(M) AFTER MATCH SKIP TO LAST name(N).  { A = M; M->skip = WR_SKIP_LAST; M->skip_to = N; }
%type measures {struct wr_ast_named_expr *}
measures(A) ::= expr(E) AS name(N).                     { A = wr_b_named_expr(p, N, E); }
measures(A) ::= measures(L) COMMA expr(E) AS name(N).   { A = WR_APPEND(L, wr_b_named_expr(p, N, E)); }
%type defines {struct wr_ast_named_expr *}
defines(A) ::= name(N) AS expr(E).                      { A = wr_b_named_expr(p, N, E); }
defines(A) ::= defines(L) COMMA name(N) AS expr(E).     { A = WR_APPEND(L, wr_b_named_expr(p, N, E)); }
%type within {struct wr_ast_expr *}
within(A) ::= .                                         { A = NULL; }
within(A) ::= WITHIN duration(D).                       { A = D; }
subset_opt ::= .
subset_opt ::= SUBSET(T) name EQ LP names RP.           { wr_b_refuse(p, T->off, "SUBSET", NULL); }
%type pattern {struct wr_ast_pattern *}
pattern(A) ::= pattern_seq(S).                          { A = S; }
pattern(A) ::= pattern(L) PIPE pattern_seq(S).          { A = wr_b_pattern(p, WR_PAT_ALT, L, S); }
%type pattern_seq {struct wr_ast_pattern *}
pattern_seq(A) ::= pattern_item(I).                     { A = I; }
pattern_seq(A) ::= pattern_seq(L) pattern_item(I).      { A = wr_b_pattern(p, WR_PAT_SEQ, L, I); }
%type pattern_item {struct wr_ast_pattern *}
pattern_item(A) ::= pattern_atom(P).                                        { A = P; }
pattern_item(A) ::= pattern_atom(P) STAR lazy(Z).                           { A = wr_b_repeat(p, P, 0, -1, Z); }
pattern_item(A) ::= pattern_atom(P) PLUS lazy(Z).                           { A = wr_b_repeat(p, P, 1, -1, Z); }
pattern_item(A) ::= pattern_atom(P) QUESTION lazy(Z).                       { A = wr_b_repeat(p, P, 0, 1, Z); }
pattern_item(A) ::= pattern_atom(P) LBRACE INT(N) RBRACE lazy(Z).           { A = wr_b_repeat(p, P, wr_b_number(p, N), wr_b_number(p, N), Z); }
pattern_item(A) ::= pattern_atom(P) LBRACE INT(N) COMMA RBRACE lazy(Z).     { A = wr_b_repeat(p, P, wr_b_number(p, N), -1, Z); }
pattern_item(A) ::= pattern_atom(P) LBRACE COMMA INT(M) RBRACE lazy(Z).     { A = wr_b_repeat(p, P, 0, wr_b_number(p, M), Z); }
pattern_item(A) ::= pattern_atom(P) LBRACE INT(N) COMMA INT(M) RBRACE lazy(Z). { A = wr_b_repeat(p, P, wr_b_number(p, N), wr_b_number(p, M), Z); }
%type lazy {struct wr_token *}
lazy(A) ::= .                                           { A = NULL; }
lazy(A) ::= QUESTION(T).                                { A = T; }
%type pattern_atom {struct wr_ast_pattern *}
pattern_atom(A) ::= name(N).                            { A = wr_b_pattern_var(p, N); }
pattern_atom(A) ::= LP pattern(P) RP.                   { A = P; wr_b_head(P)->paren = true; }

/* ---- types ---- */

%type type {struct wr_ast_type *}
type(A) ::= one_type(T).                                { A = T; }
type(A) ::= type(T) LBRACKET RBRACKET(Z).               { A = wr_b_type_array(p, NULL, T, Z); }
type(A) ::= type(T) ARRAY(Z).                           { A = wr_b_type_array(p, NULL, T, Z); }
%type one_type {struct wr_ast_type *}
one_type(A) ::= word_type(T).                           { A = T; }
one_type(A) ::= word_type(T) WITH_TIME TIME ZONE(Z).        { A = wr_b_type_zone(p, T, true, Z); }
one_type(A) ::= word_type(T) WITH_TIME LOCAL TIME ZONE(Z).  { A = wr_b_type_zone(p, T, true, Z); }
one_type(A) ::= word_type(T) WITHOUT TIME ZONE(Z).          { A = wr_b_type_zone(p, T, false, Z); }
one_type(A) ::= ARRAY(T) LT type(E) GT(Z).              { A = wr_b_type_array(p, T, E, Z); }
one_type(A) ::= ROWC(T) LT fields(F) GT(Z).             { A = wr_b_type_row(p, T, F, Z); }
one_type(A) ::= ROWC(T) LP fields(F) RP(Z).             { A = wr_b_type_row(p, T, F, Z); }
one_type(A) ::= MAPC(T) LT type(K) COMMA type(V) GT(Z). { A = wr_b_type_row(p, T, WR_APPEND(wr_b_field(p, NULL, K), wr_b_field(p, NULL, V)), Z); }
%type word_type {struct wr_ast_type *}
word_type(A) ::= type_words(T).                                     { A = T; }
word_type(A) ::= type_words(T) LP INT(N) RP(Z).                     { A = wr_b_type_param(p, T, N, NULL, Z); }
word_type(A) ::= type_words(T) LP INT(N) COMMA INT(M) RP(Z).        { A = wr_b_type_param(p, T, N, M, Z); }
%type type_words {struct wr_ast_type *}
type_words(A) ::= ID(T).                                { A = wr_b_type(p, T, NULL); }
type_words(A) ::= ID(T) PRECISION(U).                   { A = wr_b_type(p, T, U); }
type_words(A) ::= ID(T) VARYING(U).                     { A = wr_b_type(p, T, U); }
%type fields {struct wr_ast_field *}
fields(A) ::= field(F).                                 { A = F; }
fields(A) ::= fields(L) COMMA field(F).                 { A = WR_APPEND(L, F); }
%type field {struct wr_ast_field *}
field(A) ::= name(N) type(T).                           { A = wr_b_field(p, N, T); }
field(A) ::= name(N) COLON type(T).                     { A = wr_b_field(p, N, T); }

/* ---- expressions ---- */

%type exprs {struct wr_ast_expr *}
exprs(A) ::= expr(E).                                   { A = E; }
exprs(A) ::= exprs(L) COMMA expr(E).                    { A = WR_APPEND(L, E); }
%type exprs_opt {struct wr_ast_expr *}
exprs_opt(A) ::= .                                      { A = NULL; }
exprs_opt(A) ::= exprs(L).                              { A = L; }

%type expr {struct wr_ast_expr *}
expr(A) ::= prim(E).                                    { A = E; }
expr(A) ::= expr(L) OR(T) expr(R).                      { A = wr_b_binary(p, L, T, R); }
expr(A) ::= expr(L) AND(T) expr(R).                     { A = wr_b_binary(p, L, T, R); }
expr(A) ::= NOT(T) expr(E).                             { A = wr_b_unary(p, T, E); }
expr(A) ::= expr(L) EQ|CMP|LT|GT(T) expr(R).            { A = wr_b_binary(p, L, T, R); }
expr(A) ::= expr(L) OP|TILDE|PIPE(T) expr(R).           { A = wr_b_binary(p, L, T, R); }
expr(A) ::= expr(L) SHR(T) GT expr(R).            [SHR] { A = wr_b_shift(p, L, T, R); }
expr(A) ::= expr(L) PLUS|MINUS(T) expr(R).              { A = wr_b_binary(p, L, T, R); }
expr(A) ::= expr(L) STAR|SLASH|PERCENT(T) expr(R).      { A = wr_b_binary(p, L, T, R); }
expr(A) ::= expr(L) CARET(T) expr(R).                   { A = wr_b_binary(p, L, T, R); }
expr(A) ::= PLUS|MINUS|TILDE(T) expr(E).       [UMINUS] { A = wr_b_unary(p, T, E); }
expr(A) ::= expr(L) AT TIME ZONE expr(R).          [AT] { A = wr_b_at_zone(p, L, R); }
expr(A) ::= expr(E) TYPECAST type(T).                   { A = wr_b_cast(p, NULL, E, T, NULL); }
expr(A) ::= expr(E) IS not(N) NULL|TRUE|FALSE|UNKNOWN(T).   [IS] { A = wr_b_is(p, E, N, T); }
expr(A) ::= expr(L) IS not(N) DISTINCT FROM expr(R).        [IS] { A = wr_b_distinct(p, L, N, R); }
expr(A) ::= expr(L) like(O) expr(R).                    [LIKE] { A = wr_b_like(p, L, O, R, NULL); }
expr(A) ::= expr(L) like(O) expr(R) ESCAPE expr(E).     [LIKE] { A = wr_b_like(p, L, O, R, E); }
expr(A) ::= expr(E) between(N) symmetric(S) expr(L) AND expr(H). [BETWEEN] { A = wr_b_between(p, E, N, S, L, H); }
expr(A) ::= expr(E) in(N) LP exprs(L) RP(Z).            [IN] { A = wr_b_in(p, E, N, L, NULL, Z); }
expr(A) ::= expr(E) in(N) subquery(Q).                  [IN] { A = wr_b_in(p, E, N, NULL, Q, NULL); }
expr(A) ::= expr(L) EQ|CMP|LT|GT(T) quantifier(Q) LP expr(E) RP(Z). [EQ] { A = wr_b_quantified(p, L, T, Q, E, NULL, Z); }
expr(A) ::= expr(L) EQ|CMP|LT|GT(T) quantifier(Q) subquery(S).      [EQ] { A = wr_b_quantified(p, L, T, Q, NULL, S, NULL); }
%type not {bool}
not(A) ::= .                        { A = false; }
not(A) ::= NOT.                     { A = true; }
%type like {int}
like(A) ::= LIKE.                   { A = WR_B_LIKE; }
like(A) ::= ILIKE.                  { A = WR_B_ILIKE; }
like(A) ::= SIMILAR TO.             { A = WR_B_SIMILAR; }
like(A) ::= NOT_LA LIKE.            { A = WR_B_LIKE | WR_B_NOT; }
like(A) ::= NOT_LA ILIKE.           { A = WR_B_ILIKE | WR_B_NOT; }
like(A) ::= NOT_LA SIMILAR TO.      { A = WR_B_SIMILAR | WR_B_NOT; }
%type between {bool}
between(A) ::= BETWEEN.             { A = false; }
between(A) ::= NOT_LA BETWEEN.      { A = true; }
%type in {bool}
in(A) ::= IN.                       { A = false; }
in(A) ::= NOT_LA IN.                { A = true; }
%type symmetric {bool}
symmetric(A) ::= .                  { A = false; }
symmetric(A) ::= SYMMETRIC.         { A = true; }
%type quantifier {bool}
quantifier(A) ::= ANY.              { A = false; }
quantifier(A) ::= SOME.             { A = false; }
quantifier(A) ::= ALL.              { A = true; }

/* what may be followed by a dot, a subscript or arguments */
%type prim {struct wr_ast_expr *}
prim(A) ::= name(N).                                    { A = wr_b_column(p, N); }
prim(A) ::= prim(E) DOT name(N).                        { A = wr_b_dot(p, E, N); }
prim(A) ::= prim(E) LBRACKET expr(I) RBRACKET(Z).       { A = wr_b_index(p, E, I, Z); }
prim(A) ::= LP(T) expr(E) RP(Z).                        { A = wr_b_paren(p, T, E, Z); }
prim(A) ::= subquery(Q).                       [UMINUS] { A = wr_b_subquery(p, NULL, Q); }
prim(A) ::= EXISTS(T) subquery(Q).             [UMINUS] { A = wr_b_subquery(p, T, Q); }
prim(A) ::= LP(T) exprs(L) COMMA expr(E) RP(Z).         { A = wr_b_list(p, WR_E_ROW, T, WR_APPEND(L, E), Z); }
prim(A) ::= ROWC(T) LP exprs_opt(L) RP(Z).              { A = wr_b_list(p, WR_E_ROW, T, L, Z); }
prim(A) ::= ARRAY(T) LBRACKET exprs_opt(L) RBRACKET(Z). { A = wr_b_list(p, WR_E_ARRAY, T, L, Z); }
prim(A) ::= NULL(T).                                    { A = wr_b_literal(p, WR_E_NULL, T); }
prim(A) ::= TRUE(T).                                    { A = wr_b_literal(p, WR_E_TRUE, T); }
prim(A) ::= FALSE(T).                                   { A = wr_b_literal(p, WR_E_FALSE, T); }
prim(A) ::= INT(T).                                     { A = wr_b_literal(p, WR_E_INT, T); }
prim(A) ::= NUM(T).                                     { A = wr_b_literal(p, WR_E_NUM, T); }
prim(A) ::= STRING(T).                                  { A = wr_b_literal(p, WR_E_STRING, T); }
prim(A) ::= BYTES(T).                                   { A = wr_b_literal(p, WR_E_BYTES, T); }
prim(A) ::= TYPELIT(T) STRING(S).                       { A = wr_b_typed(p, T, S); }
prim(A) ::= interval(E).                                { A = E; }
prim(A) ::= CASE(T) whens(W) else(E) END(Z).            { A = wr_b_case(p, T, NULL, W, E, Z); }
prim(A) ::= CASE(T) expr(O) whens(W) else(E) END(Z).    { A = wr_b_case(p, T, O, W, E, Z); }
prim(A) ::= CAST|TRY_CAST(T) LP expr(E) AS type(Y) RP(Z). { A = wr_b_cast(p, T, E, Y, Z); }
prim(A) ::= call(C).                            [SHORT] { A = C; }

%type interval {struct wr_ast_expr *}
interval(A) ::= INTERVAL(T) sign(S) STRING(V).                      { A = wr_b_interval(p, T, S, V, NULL, NULL); }
interval(A) ::= INTERVAL(T) sign(S) STRING(V) UNIT(U).              { A = wr_b_interval(p, T, S, V, U, NULL); }
interval(A) ::= INTERVAL(T) sign(S) STRING(V) UNIT(U) TO UNIT(W).   { A = wr_b_interval(p, T, S, V, U, W); }
interval(A) ::= INTERVAL(T) sign(S) number(V) UNIT(U).              { A = wr_b_interval(p, T, S, V, U, NULL); }
%type sign {struct wr_token *}
sign(A) ::= .                       { A = NULL; }
sign(A) ::= PLUS|MINUS(T).          { A = T; }
%type whens {struct wr_ast_expr *}
whens(A) ::= WHEN expr(C) THEN expr(T).             { A = wr_b_when(p, NULL, C, T); }
whens(A) ::= whens(L) WHEN expr(C) THEN expr(T).    { A = wr_b_when(p, L, C, T); }
%type else {struct wr_ast_expr *}
else(A) ::= .                       { A = NULL; }
else(A) ::= ELSE expr(E).           { A = E; }

/* ---- calls ---- */

%type call {struct wr_ast_expr *}
call(A) ::= prim(F) LP args_opt(L) RP(Z).                   { A = wr_b_call(p, F, NULL, L, NULL, Z); }
call(A) ::= prim(F) LP args(L) ORDER BY orders(O) RP(Z).    { A = wr_b_call(p, F, NULL, L, O, Z); }
call(A) ::= prim(F) LP DISTINCT|ALL(Q) args(L) RP(Z).       { A = wr_b_call(p, F, Q, L, NULL, Z); }
call(A) ::= prim(F) LP DISTINCT|ALL(Q) args(L) ORDER BY orders(O) RP(Z). { A = wr_b_call(p, F, Q, L, O, Z); }
call(A) ::= prim(F) LP args(L) IGNORE|RESPECT(N) NULLS RP(Z). { A = wr_b_nulls(p, wr_b_call(p, F, NULL, L, NULL, Z), N, Z); }
call(A) ::= prim(F) LP args(L) RETURNING type(T) RP(Z).     { A = wr_b_returning(p, wr_b_call(p, F, NULL, L, NULL, Z), T); }
call(A) ::= prim(F) LP expr(E) ARG_FROM expr(G) RP(Z).      { A = wr_b_call_from(p, F, E, NULL, G, NULL, Z); }
call(A) ::= prim(F) LP expr(E) ARG_FROM expr(G) ARG_FOR expr(N) RP(Z). { A = wr_b_call_from(p, F, E, NULL, G, N, Z); }
call(A) ::= prim(F) LP expr(E) ARG_FOR expr(N) RP(Z).       { A = wr_b_call_from(p, F, E, NULL, NULL, N, Z); }
call(A) ::= prim(F) LP expr(E) ARG_FOR expr(N) ARG_FROM expr(G) RP(Z). { A = wr_b_call_from(p, F, E, NULL, G, N, Z); }
call(A) ::= prim(F) LP expr(E) PLACING expr(V) ARG_FROM expr(G) RP(Z). { A = wr_b_call_from(p, F, E, V, G, NULL, Z); }
call(A) ::= prim(F) LP expr(E) PLACING expr(V) ARG_FROM expr(G) ARG_FOR expr(N) RP(Z). { A = wr_b_call_from(p, F, E, V, G, N, Z); }
call(A) ::= prim(F) LP LEADING|TRAILING|BOTH(S) ARG_FROM expr(E) RP(Z). { A = wr_b_call_trim(p, F, S, NULL, E, Z); }
call(A) ::= prim(F) LP LEADING|TRAILING|BOTH(S) expr(C) ARG_FROM expr(E) RP(Z). { A = wr_b_call_trim(p, F, S, C, E, Z); }
call(A) ::= prim(F) LP LEADING|TRAILING|BOTH(S) expr(E) RP(Z). { A = wr_b_call_trim(p, F, S, NULL, E, Z); }
call(A) ::= prim(F) LP expr(E) POS_IN expr(G) RP(Z).        { A = wr_b_call_in(p, F, E, G, Z); }
call(A) ::= call(C) WITHIN_GROUP(T) GROUP LP ORDER BY orders(O) RP(Z). { A = wr_b_within(p, C, T, O, Z); }
call(A) ::= call(C) FILTER(T) LP WHERE expr(E) RP(Z).       { A = wr_b_filter(p, C, T, E, Z); }
call(A) ::= call(C) IGNORE|RESPECT(T) NULLS(Z).             { A = wr_b_nulls(p, C, T, Z); }
call(A) ::= call(C) OVER(T) over_spec(O).                   { A = wr_b_over_call(p, C, T, O); }
call(A) ::= call(C) OVER(T) name(N).                        { A = wr_b_over_call(p, C, T, wr_b_over_ref(p, N)); }

%type args_opt {struct wr_ast_expr *}
args_opt(A) ::= .                                   { A = NULL; }
args_opt(A) ::= args(L).                            { A = L; }
%type args {struct wr_ast_expr *}
args(A) ::= arg(E).                                 { A = E; }
args(A) ::= args(L) COMMA arg(E).                   { A = WR_APPEND(L, E); }
%type arg {struct wr_ast_expr *}
arg(A) ::= expr(E).                                 { A = E; }
arg(A) ::= STAR(T).                                 { A = wr_b_star(p, NULL, T); }
arg(A) ::= prim(E) DOT STAR(T).                     { A = wr_b_star(p, E, T); }
arg(A) ::= name(N) ARROW expr(E).                   { A = wr_b_named(p, N, E); }
arg(A) ::= name(N) ARROW table_arg(E).              { A = wr_b_named(p, N, E); }
arg(A) ::= table_arg(E).                            { A = E; }
%type table_arg {struct wr_ast_expr *}
table_arg(A) ::= TABLE(T) path(N) arg_part(P) arg_order(O).         { A = wr_b_table_arg(p, T, N, NULL, P, O); }
table_arg(A) ::= TABLE(T) subquery(Q) arg_part(P) arg_order(O).     { A = wr_b_table_arg(p, T, NULL, Q, P, O); }
%type arg_part {struct wr_ast_expr *}
arg_part(A) ::= .                                   { A = NULL; }
arg_part(A) ::= PARTITION BY expr(E).               { A = E; }
%type arg_order {struct wr_ast_order *}
arg_order(A) ::= .                          [SHORT] { A = NULL; }
arg_order(A) ::= ORDER BY order(O).                 { A = O; }

%type orders {struct wr_ast_order *}
orders(A) ::= order(O).                             { A = O; }
orders(A) ::= orders(L) COMMA order(O).             { A = WR_APPEND(L, O); }
%type order {struct wr_ast_order *}
order(A) ::= expr(E) direction(D) nulls(N).         { A = wr_b_order(p, E, D, N); }
%type direction {bool}
direction(A) ::= .                  { A = false; }
direction(A) ::= ASC.               { A = false; }
direction(A) ::= DESC.              { A = true; }
%type nulls {int}
nulls(A) ::= .                      { A = 0; }
nulls(A) ::= NULLS FIRST.           { A = 1; }
nulls(A) ::= NULLS LAST.            { A = 2; }

%type over_spec {struct wr_ast_over *}
over_spec(A) ::= LP(T) over_ref(R) over_part(P) over_order(O) frame(F) RP(Z).   { A = wr_b_over_spec(p, T, R, P, O, F, Z); }
%type over_ref {struct wr_ast_name *}
over_ref(A) ::= .                   { A = NULL; }
over_ref(A) ::= name(N).            { A = N; }
%type over_part {struct wr_ast_expr *}
over_part(A) ::= .                              { A = NULL; }
over_part(A) ::= PARTITION BY exprs(L).         { A = L; }
%type over_order {struct wr_ast_order *}
over_order(A) ::= .                             { A = NULL; }
over_order(A) ::= ORDER BY orders(L).           { A = L; }
%type frame {struct wr_ast_over *}
frame(A) ::= .                                              { A = NULL; }
frame(A) ::= FRAME(U) bound(F).                             { A = wr_b_frame(p, U, F, NULL); }
frame(A) ::= FRAME(U) BETWEEN bound(F) AND bound(T).        { A = wr_b_frame(p, U, F, T); }
%type bound {struct wr_bound *}
bound(A) ::= UNBOUNDED PRECEDING.   { A = wr_b_bound(p, WR_BOUND_UNBOUNDED_PRECEDING, NULL); }
bound(A) ::= UNBOUNDED FOLLOWING.   { A = wr_b_bound(p, WR_BOUND_UNBOUNDED_FOLLOWING, NULL); }
bound(A) ::= CURRENT ROW.           { A = wr_b_bound(p, WR_BOUND_CURRENT, NULL); }
bound(A) ::= expr(E) PRECEDING.     { A = wr_b_bound(p, WR_BOUND_PRECEDING, E); }
bound(A) ::= expr(E) FOLLOWING.     { A = wr_b_bound(p, WR_BOUND_FOLLOWING, E); }

/* never fed: an illegal character or an unclosed quote, which the lexer has found */
input ::= ILLEGAL. { wr_b_unexpected(p, NULL); }

%code {
/* Would the token be shifted, after whatever reductions? Works on a copy of the stack's state numbers, so that nothing is built. */
bool wr_grammar_takes(void *lemon, int code)
{
    yyParser *parser = lemon;
    int n = (int)(parser->yytos - parser->yystack) + 1, room = n + 64;
    YYACTIONTYPE *state = wr_malloc(sizeof *state * (size_t)room);
    for (int i = 0; i < n; i++)
        state[i] = parser->yystack[i].stateno;
    bool takes = false;
    for (;;) {
        YYACTIONTYPE act = state[n - 1];
        if (act <= YY_MAX_SHIFT) {
            int i = yy_shift_ofst[act] + code;
            act = yy_lookahead[i] == code ? yy_action[i] : yy_default[act];
        }
        if (act < YY_MIN_REDUCE) {
            takes = act <= YY_MAX_SHIFTREDUCE || act == YY_ACCEPT_ACTION;
            break;
        }
        int rule = act - YY_MIN_REDUCE;
        n += yyRuleInfoNRhs[rule];
        if (n + 1 >= room)
            break;
        state[n] = yy_find_reduce_action(state[n - 1], yyRuleInfoLhs[rule]);
        n++;
    }
    free(state);
    return takes;
}
}
