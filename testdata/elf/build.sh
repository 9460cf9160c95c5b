#!/bin/sh
# Builds the fixtures of elf. Needs: gcc (with -m32), binutils, binutils-mips-linux-gnu, python3.
# truth.txt is what readelf says; the files cut or stripped of sections have that of the whole one.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p shared64 sstripped64 cut64 program32 module64 mips-be

cat > "$work/lens.c" <<'C'
extern int puts(const char *); extern double cos(double);
const char *lens_where(void) { return "src/optics/lens.c"; }
int lens_open(int n) { puts("lens open"); return cos(n) > 0; }
int lens_close_v1(int n) { return n; }
int lens_close_v2(int n) { return n + 1; }
__asm__(".symver lens_close_v1,lens_close@LENS_1.0");
__asm__(".symver lens_close_v2,lens_close@@LENS_2.0");
int lens_state;
C
cat > "$work/lens.map" <<'M'
LENS_1.0 { global: lens_open; lens_where; lens_state; lens_close; local: *; };
LENS_2.0 { global: lens_close; } LENS_1.0;
M
small="-Wl,-z,noseparate-code,-z,max-page-size=4096 -fno-asynchronous-unwind-tables -nostartfiles"
gcc -Os -shared -fPIC $small "$work/lens.c" -o "$work/lens.so" -Wl,--version-script="$work/lens.map" \
	-Wl,-soname,liblens.so.2 -Wl,-rpath,/opt/lens/lib -Wl,--build-id=0x0123456789abcdef0123456789abcdef01234567 -Wl,--hash-style=gnu -lm
strip -o shared64/input "$work/lens.so"

# As sstrip leaves it: nothing behind the segments, no section table, no mention of one.
python3 - shared64/input sstripped64/input cut64/input <<'P'
import struct, sys
b = bytearray(open(sys.argv[1], 'rb').read())
phoff, n = struct.unpack_from('<Q', b, 32)[0], struct.unpack_from('<H', b, 56)[0]
heads = [struct.unpack_from('<IIQQQQ', b, phoff + 56 * i) for i in range(n)]
end = max(h[2] + h[5] for h in heads)
s = b[:end]
struct.pack_into('<Q', s, 40, 0)
struct.pack_into('<HHH', s, 58, 0, 0, 0)
open(sys.argv[2], 'wb').write(s)
open(sys.argv[3], 'wb').write(b[:end - 16])   # a transfer that broke off
P

cat > "$work/main.c" <<'C'
extern int lens_open(int);
void _start(void) { lens_open(1); for (;;) ; }
C
echo 'int lens_open(int n) { return n; }' > "$work/lens32.c"
gcc -m32 -shared -nostdlib -Wl,-soname,liblens.so.2 "$work/lens32.c" -o "$work/liblens.so"
gcc -m32 -Os -no-pie -nostdlib $small "$work/main.c" "$work/liblens.so" -o "$work/prog" \
	-Wl,--hash-style=sysv -Wl,--dynamic-linker,/lib/ld-uClibc.so.0 -Wl,--build-id=none -Wl,--disable-new-dtags,-rpath,'$ORIGIN/lib'
strip -o program32/input "$work/prog"
printf 'bytes behind the program' >> program32/input

cat > "$work/module.c" <<'C'
static const char info[] __attribute__((section(".modinfo"), used)) =
	"license=GPL\0author=A. Nother <a@example.com>\0description=Lens motor driver\0depends=i2c-core\0"
	"vermagic=4.9.37 SMP preempt mod_unload ARMv7 p2v8 \0parm=speed:steps a second (int)";
extern int printk(const char *, ...);
int init_module(void) { return printk("lens motor"); }
C
gcc -Os -c -fno-pic -fno-asynchronous-unwind-tables "$work/module.c" -o module64/input

cat > "$work/lens.s" <<'S'
	.text
	.globl	lens_open
	.type	lens_open, @function
lens_open:	jr	$31
	.size	lens_open, .-lens_open
	.globl	lens_fault
	.section .comment
	.asciz	"GCC: (made by hand) 4.8.3"
S
mips-linux-gnu-as -EB -mips32r2 -KPIC "$work/lens.s" -o "$work/lens.o"
mips-linux-gnu-ld -EB -shared -soname liblens.so.0 -z max-page-size=4096 --hash-style=sysv "$work/lens.o" -o mips-be/input

for d in shared64 program32 module64 mips-be; do
	{
		readelf -dW $d/input | sed -n 's/.*(\(NEEDED\|SONAME\|RPATH\|RUNPATH\)).*\[\(.*\)\]/\L\1\E \2/p'
		readelf -lW $d/input | sed -n 's/.*program interpreter: \(.*\)\]/interp \1/p'
		readelf -nW $d/input | sed -n 's/.*Build ID: /buildid /p'
		readelf -p .comment $d/input 2>/dev/null | sed -n 's/^ *\[ *[0-9a-f]*\]  /comment /p' || :
		readelf -p .modinfo $d/input 2>/dev/null | sed -n 's/^ *\[ *[0-9a-f]*\]  /modinfo /p' || :
		table=--dyn-syms; [ $d = module64 ] && table=-s
		readelf -W $table $d/input | awk '$7 != "ABS" && ($5 == "GLOBAL" || $5 == "WEAK") { print ($7 == "UND" ? "import " : "export ") $8 }' |
			sed 's/@@/@/'
	} > $d/truth.txt
done
grep -v '^comment' shared64/truth.txt > sstripped64/truth.txt
