#!/bin/sh
# Makes a certificate of an authority of its own for 127.0.0.1, one of version 1, and a key that is encrypted, in the folder
# that is given.
set -e
cd "$1"
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca-key.pem -out ca.pem -subj /CN=authority -days 2
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=127.0.0.1
printf 'basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n' >extensions
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out certificate.pem -days 2 -extfile extensions
openssl x509 -req -in request.pem -CA ca.pem -CAkey ca-key.pem -CAcreateserial -out certificate-v1.pem -days 2
openssl pkcs8 -topk8 -in key.pem -passout pass:password -out key-encrypted.pem
