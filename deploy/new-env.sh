#!/bin/sh
# Prints .env.example with a random password in each line that ends in PASSWORD=.
set -eu
while IFS= read -r line; do
    case $line in
        *_PASSWORD=) line=$line$(od -An -N 24 -tx1 /dev/urandom | tr -d ' \n') ;;
    esac
    printf '%s\n' "$line"
done < "$(dirname "$0")/../.env.example"
