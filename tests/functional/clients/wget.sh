#!/bin/sh
# wget. It has no multipart of its own, so the form is put together as scripts do.
set -eu
operation=$1 url=$2 folder=$3
call() {
    wget --quiet --server-response --output-document "$folder/answer" "$@" 2>"$folder/head"
    sed -n 's|^  HTTP/1\.1 \([0-9]*\).*|\1|p' "$folder/head"
}

case $operation in
    get | download) call "$url" ;;
    post) call --header 'Content-Type: application/json' --post-file "$folder/content.json" "$url" ;;
    upload)
        {
            printf -- '--limit\r\nContent-Disposition: form-data; name="file"; filename="upload.bin"\r\n'
            printf 'Content-Type: application/octet-stream\r\n\r\n'
            cat "$folder/upload.bin"
            printf '\r\n--limit--\r\n'
        } >"$folder/form"
        call --header 'Content-Type: multipart/form-data; boundary=limit' --post-file "$folder/form" "$url"
        ;;
    keepalive) call "$url" "$url" "$url" ;;
    *) exit 2 ;;
esac
