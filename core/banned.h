/* banned.h: libc calls that nobody may use, because they cannot know how much room there is, keep hidden state or
 * cannot report a bad number. Included before every file of a development build (-include); a use is then an error.
 * Rules:  never include it by hand. Generated files define WR_GENERATED and are excused.
 * Instead: wr_buf and snprintf for building text, wr_str for walking it, strtol and friends for numbers. */
#ifndef WR_CORE_BANNED_H
#define WR_CORE_BANNED_H
#ifndef WR_GENERATED

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WR_BANNED(instead) __attribute__((deprecated("banned in weir, use " instead)))

/* No limit on what they write. */
char *strcpy(char *to, const char *from) WR_BANNED("snprintf or wr_buf");
char *strcat(char *to, const char *from) WR_BANNED("snprintf or wr_buf");
char *stpcpy(char *to, const char *from) WR_BANNED("snprintf or wr_buf");
int sprintf(char *to, const char *format, ...) WR_BANNED("snprintf or wr_buf");
int vsprintf(char *to, const char *format, va_list args) WR_BANNED("vsnprintf or wr_buf");
/* Truncate without saying so, and may leave out the final NUL. */
char *strncpy(char *to, const char *from, size_t n) WR_BANNED("snprintf or memcpy");
char *strncat(char *to, const char *from, size_t n) WR_BANNED("snprintf or wr_buf");
/* Hidden state between calls or threads. */
char *strtok(char *text, const char *cut) WR_BANNED("wr_str functions");
struct tm *gmtime(const time_t *t) WR_BANNED("core/time.h");
struct tm *localtime(const time_t *t) WR_BANNED("core/time.h");
char *ctime(const time_t *t) WR_BANNED("core/time.h");
char *asctime(const struct tm *t) WR_BANNED("core/time.h");
int rand(void) WR_BANNED("an explicit seeded generator");
/* No way to tell a bad number from zero. (clang takes no attribute on what libc defines inline; gcc is enough.) */
#ifndef __clang__
int atoi(const char *text) WR_BANNED("strtol with its end checked");
long atol(const char *text) WR_BANNED("strtol with its end checked");
long long atoll(const char *text) WR_BANNED("strtoll with its end checked");
double atof(const char *text) WR_BANNED("strtod with its end checked");
#endif
/* Runs a shell. */
int system(const char *command) WR_BANNED("nothing: weir runs no shell");

#endif
#endif
