#!/bin/sh
# curl, as people type it.
set -eu
operation=$1 url=$2 folder=$3
call() { curl --silent --show-error --output "$folder/answer" --write-out '%{http_code}\n' "$@"; }

case $operation in
    get | download) call "$url" ;;
    http10) call --http1.0 "$url" ;;
    post) call --header 'Content-Type: application/json' --data-binary "@$folder/content.json" "$url" ;;
    upload) call --form "file=@$folder/upload.bin" "$url" ;;
    keepalive) call "$url" --output "$folder/answer" "$url" --output "$folder/answer" "$url" ;;
    *) exit 2 ;;
esac
