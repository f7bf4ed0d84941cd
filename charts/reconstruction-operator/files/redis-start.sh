#!/bin/sh
# Write the users' file with the hashes of their passwords, which are in the environment, and become Redis.
set -eu
hash() { printf %s "$1" | sha256sum | cut -d ' ' -f 1; }
sed -e '/^#/d' -e '/^$/d' \
  -e "s/@password@/#$(hash "$REDIS_ADMIN_PASSWORD")/" \
  -e "s/@operator-password@/#$(hash "$REDIS_OPERATOR_PASSWORD")/" \
  -e "s/@worker-password@/#$(hash "$REDIS_WORKER_PASSWORD")/" \
  /etc/redis-config/users.acl > /run/redis/users.acl
unset REDIS_ADMIN_PASSWORD REDIS_OPERATOR_PASSWORD REDIS_WORKER_PASSWORD
exec redis-server /etc/redis-config/redis.conf
