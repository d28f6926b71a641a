#!/bin/sh
# Writes a Swift file with the kit's tag as an ELF note. The tag is 16 hexadecimal digits of a SHA-256 over the kit's
# sources, and the version of the compiler: '1a2b3c4d5e6f7a8b swift-6.3.1-RELEASE'.
#
# kit-tag.sh SWIFTC OUTPUT KIT SOURCE...
set -eu
swiftc=$1 output=$2 kit=$3
shift 3
sources=$(cd "$kit" && sha256sum -- "$@" | sha256sum | cut -c 1-16)
compiler=$("$swiftc" --version 2>/dev/null | sed -n 's/^.*Swift version [^(]*(\([^)]*\)).*$/\1/p' | head -n 1 | tr -c 'A-Za-z0-9._+\n-' '-')
[ -n "$compiler" ] || { echo "kit-tag.sh: '$swiftc --version' names no version" >&2; exit 1; }

# The bytes of a text, padded with NUL to a multiple of four, as Swift literals.
bytes() {
    text=$1
    while [ $((${#text} % 4)) != 0 ]; do text="$text@"; done
    printf '%s' "$text" | tr '@' '\000' | od -An -v -t u1 | tr -s ' \n' ' ' | sed 's/^ //; s/ $//; s/ /, /g'
}

tag="$sources $compiler"
name=$(bytes 'llm-router@')
description=$(bytes "$tag")
all="$name, $description"
types=$(echo "$all" | sed 's/[0-9][0-9]*/UInt8/g')
cat > "$output" <<END
/// The kit that this module is compiled for: the note 1 of 'llm-router', with the text
/// '$tag'. Source: elf(5), notes.
@section(".note.llm-router") @used
let kitNote: (UInt32, UInt32, UInt32, $types) = (11, ${#tag}, 1, $all)
END
