#!/bin/sh
# Builds the fixtures of unpack/key: certificates and public keys of keys that are thrown away.
# No private key is kept; tests make those they need. Needs the Debian packages openssl,
# openssh-client and a Java runtime for keytool.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

issue() { # name, subject, options of the key
	name=$1 subject=$2; shift 2
	openssl req -x509 -newkey "$@" -nodes -keyout $name.key -out $name.pem -days 3650 -subj "$subject" 2> /dev/null
	openssl x509 -in $name.pem -outform DER -out $name.der
	openssl pkey -in $name.key -pubout -outform DER -out $name.pub
}
issue rsa "/C=GB/O=Example, Ltd/CN=camera.example" rsa:2048 -addext subjectAltName=DNS:camera.example,DNS:www.example
issue ec "/O=Example/CN=ec" ec -pkeyopt ec_paramgen_curve:P-256
issue ed "/CN=ed" ed25519
put() { # format, case, file
	mkdir -p "$root/$1/$2"; (cat "$3"; printf 'behind') > "$root/$1/$2/input"
}
truth() { # format, case, path, file
	printf '%s  %s\n' "$(sha256sum < "$4" | cut -d' ' -f1)" "$3" >> "$root/$1/$2/truth.txt"
}

for n in rsa ec ed; do
	put x509 $n $n.der
	put der $n $n.pub
done
openssl rsa -pubin -inform DER -in rsa.pub -RSAPublicKey_out -outform DER -out rsa.pkcs1 2> /dev/null
put der pkcs1 rsa.pkcs1

rm -f "$root"/pem/*/truth.txt
cat rsa.pem ec.pem ed.pem > bundle
put pem bundle bundle
cat rsa.der ec.der ed.der > all; truth pem bundle certificates.der all
(printf 'Example RSA\n===========\n' && cat rsa.pem; printf '\nExample EC\n==========\n'; cat ec.pem) | tail -n +3 > named
put pem named named
cat rsa.der ec.der > all; truth pem named certificates.der all
printf '\nExample EC\n==========\n' > text; truth pem named text text
(openssl pkey -pubin -inform DER -in rsa.pub; cat ec.pem; openssl ecparam -name prime256v1) > mixed
put pem mixed mixed
truth pem mixed public-key.der rsa.pub; truth pem mixed certificate.der ec.der
openssl ecparam -name prime256v1 -outform DER > params; truth pem mixed ec-parameters.der params

for k in rsa ecdsa ed25519; do
	ssh-keygen -q -t $k -N '' -C "root@camera" -f ssh-$k
	put sshkey $k ssh-$k.pub
done

# A store without a key, under a password that is no secret.
openssl pkcs12 -export -nokeys -in rsa.pem -out store.p12 -passout pass:example
put pkcs12 nokeys store.p12
keytool -importcert -noprompt -storetype JKS -alias camera -file rsa.pem -keystore store.jks -storepass example 2> /dev/null
keytool -importcert -noprompt -storetype JKS -alias other -file ec.pem -keystore store.jks -storepass example 2> /dev/null
put jks certificates store.jks
