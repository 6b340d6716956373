#!/bin/sh
# Makes the ELF files and the maps of this example again. It needs Debian's gcc-aarch64-linux-gnu; the demo does not.
set -eu
cd "$(dirname "$0")"
prefix=aarch64-linux-gnu-
for variant in faulty mended; do
    (
        cd "$variant"
        ${prefix}gcc -c -o start.o ../src/start.S
        ${prefix}gcc -c -O2 -ffreestanding -fno-pic -mgeneral-regs-only -fno-asynchronous-unwind-tables \
            -fno-unwind-tables -ffunction-sections -o main.o ../src/main.c
        ${prefix}ld -nostdlib -z max-page-size=4096 -z noexecstack --no-warn-rwx-segments \
            -T hypervisor.lds -Map=hypervisor.map -o hypervisor.elf main.o start.o
        ${prefix}strip --strip-debug hypervisor.elf
        rm start.o main.o
    )
done
