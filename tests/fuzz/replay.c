/* replay.c: runs a fuzz target over saved inputs, for compilers without libFuzzer.
 * Rules:  arguments are files or directories (read one level deep); each file is one input; a missing directory is an
 *         empty corpus. Besides the files, the empty input is always tried.
 * Memory: one buffer per file, sized to the byte so that ASan sees an overrun by one. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static int run_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat info;
    if (f == NULL || fstat(fileno(f), &info) != 0) {
        fprintf(stderr, "replay: cannot read %s\n", path);
        if (f != NULL)
            fclose(f);
        return 1;
    }
    size_t n = (size_t)info.st_size;
    uint8_t *data = malloc(n != 0 ? n : 1);
    size_t got = data != NULL ? fread(data, 1, n, f) : 0;
    fclose(f);
    if (data != NULL && got == n)
        LLVMFuzzerTestOneInput(data, n);
    free(data);
    return data == NULL || got != n;
}

static int run_directory(const char *path, unsigned long *count)
{
    DIR *dir = opendir(path);
    if (dir == NULL)
        return 0;
    int bad = 0;
    for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
        char name[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        bad |= run_file(name);
        ++*count;
    }
    closedir(dir);
    return bad;
}

int main(int argc, char **argv)
{
    unsigned long count = 0;
    int bad = 0;
    LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
    for (int i = 1; i < argc; i++) {
        struct stat info;
        if (stat(argv[i], &info) == 0 && !S_ISDIR(info.st_mode)) {
            bad |= run_file(argv[i]);
            count++;
        } else {
            bad |= run_directory(argv[i], &count);
        }
    }
    printf("replayed %lu inputs\n", count);
    return bad;
}
