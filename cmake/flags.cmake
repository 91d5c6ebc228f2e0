# Compiler and linker flags for every target of the project.
# Warnings are always on; they are errors only with WEIR_WERROR (the presets for development), so that
# a newer compiler never breaks a user's plain build.
include(CheckCCompilerFlag)
include(CheckIPOSupported)

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_C_FLAGS_RELEASE "-O3 -g")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g -fno-omit-frame-pointer")

# Adds each flag that the compiler takes; the others are left out without a word.
function(add_flags_if_known)
    foreach(flag IN LISTS ARGN)
        string(MAKE_C_IDENTIFIER "WR_HAS${flag}" known)
        check_c_compiler_flag("${flag}" ${known})
        if(${known})
            add_compile_options("${flag}")
        endif()
    endforeach()
endfunction()

# Empty value, as a plain "#define _GNU_SOURCE" has: the two do not clash.
add_compile_definitions(_GNU_SOURCE= WEIR_VERSION="${PROJECT_VERSION}")
add_compile_options(
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
    -Wpointer-arith -Wcast-qual -Wundef -Werror=format-security -Werror=implicit-function-declaration
    -fno-strict-aliasing -fno-strict-overflow
    "-fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(WEIR_WERROR)
    add_compile_options(-Werror -include "${CMAKE_SOURCE_DIR}/core/banned.h")
endif()
if(WEIR_DEV)
    add_compile_definitions(WEIR_DEV=1)
endif()
if(WEIR_FAILPOINTS)
    add_compile_definitions(WEIR_FAILPOINTS=1)
endif()
if(WEIR_HARD)
    add_compile_definitions(WEIR_HARD=1)
endif()

add_compile_options("$<$<CONFIG:Release>:-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=>")
if(WEIR_SANITIZE)
    add_compile_options(-fsanitize=${WEIR_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${WEIR_SANITIZE})
    if(CMAKE_C_COMPILER_ID STREQUAL "Clang")
        add_compile_options(-fno-sanitize=function)
    endif()
else()
    # Hardening (not with sanitizers: they bring their own and _FORTIFY_SOURCE hides what they look for).
    # -U first: some distributions predefine another level, which would be a redefinition warning.
    add_compile_options("$<$<CONFIG:Release>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
    add_flags_if_known(-fstack-protector-strong -fstack-clash-protection
        -fcf-protection=full -ftrivial-auto-var-init=zero)
    add_link_options(LINKER:-z,relro LINKER:-z,now LINKER:-z,noexecstack)
endif()
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(WEIR_LTO)
    check_ipo_supported()
    set(CMAKE_INTERPROCEDURAL_OPTIMIZATION_RELEASE ON)
endif()
if(WEIR_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "WEIR_FUZZ needs clang: cmake --preset fuzz")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
