#!/bin/bash
# The contract of the official `mysql` image, as far as tests use it:
#   MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD, MYSQL_RANDOM_ROOT_PASSWORD   one of them is required
#   MYSQL_ROOT_HOST                           where root may log in from (default: anywhere)
#   MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD   a database and a user who owns it
#   /docker-entrypoint-initdb.d/*.sql, *.sh   run once, in the order of their names
#   arguments                                 passed to mysqld; a first argument that is a program is run instead
set -euo pipefail

note() { echo "[entrypoint] $*" >&2; }
fail() { note "error: $*"; exit 1; }

# A value as an SQL string in single quotes.
quoted() {
  local value=${1//\\/\\\\}
  printf "'%s'" "${value//\'/\'\'}"
}
# A value as an SQL name in backticks.
named() { printf '`%s`' "${1//\`/\`\`}"; }

if [[ ${1:-} == -* ]]; then set -- mysqld "$@"; fi
if [[ ${1:-mysqld} != mysqld ]]; then exec "$@"; fi
shift || true

data=/var/lib/mysql
socket=/var/run/mysqld/mysqld.sock
server=(/usr/sbin/mysqld --user=mysql "--datadir=$data" "--socket=$socket" --secure-file-priv=/var/lib/mysql-files)

if [[ ! -d $data/mysql ]]; then
  if [[ -n ${MYSQL_RANDOM_ROOT_PASSWORD:-} ]]; then
    MYSQL_ROOT_PASSWORD=$(head -c 24 /dev/urandom | base64 -w0)
    note "GENERATED ROOT PASSWORD: $MYSQL_ROOT_PASSWORD"
  elif [[ -z ${MYSQL_ROOT_PASSWORD:-} && -z ${MYSQL_ALLOW_EMPTY_PASSWORD:-} ]]; then
    fail "set one of MYSQL_ROOT_PASSWORD, MYSQL_ALLOW_EMPTY_PASSWORD, MYSQL_RANDOM_ROOT_PASSWORD"
  fi
  chown mysql:mysql "$data"
  note "initialising the data directory"
  "${server[@]}" --initialize-insecure "$@"

  init=$(mktemp /tmp/init.XXXXXX.sql)
  {
    password=$(quoted "${MYSQL_ROOT_PASSWORD:-}")
    echo "ALTER USER 'root'@'localhost' IDENTIFIED BY $password;"
    if [[ ${MYSQL_ROOT_HOST:-%} != localhost ]]; then
      host=$(quoted "${MYSQL_ROOT_HOST:-%}")
      echo "CREATE USER 'root'@$host IDENTIFIED BY $password;"
      echo "GRANT ALL ON *.* TO 'root'@$host WITH GRANT OPTION;"
    fi
    if [[ -n ${MYSQL_DATABASE:-} ]]; then echo "CREATE DATABASE IF NOT EXISTS $(named "$MYSQL_DATABASE");"; fi
    if [[ -n ${MYSQL_USER:-} && -n ${MYSQL_PASSWORD:-} ]]; then
      echo "CREATE USER $(quoted "$MYSQL_USER")@'%' IDENTIFIED BY $(quoted "$MYSQL_PASSWORD");"
      if [[ -n ${MYSQL_DATABASE:-} ]]; then
        # In a GRANT the name is a pattern: _ and % in it would match other databases too.
        pattern=${MYSQL_DATABASE//_/\\_}
        echo "GRANT ALL ON $(named "${pattern//%/\\%}").* TO $(quoted "$MYSQL_USER")@'%';"
      fi
    fi
  } >"$init"
  chown mysql:mysql "$init"

  shopt -s nullglob
  scripts=(/docker-entrypoint-initdb.d/*)
  if ((${#scripts[@]})); then
    # The scripts may hold anything the client understands, so they are run by the client against a server that
    # nobody else can reach yet.
    "${server[@]}" "--init-file=$init" --skip-networking --mysqlx=OFF "$@" &
    pid=$!
    client=(mysql --protocol=socket "--socket=$socket" -uroot)
    for _ in {1..300}; do
      if MYSQL_PWD=${MYSQL_ROOT_PASSWORD:-} "${client[@]}" -e 'DO 1' 2>/dev/null; then break; fi
      kill -0 "$pid" 2>/dev/null || fail "the server ended while it was being initialised"
      sleep 0.1
    done
    for script in "${scripts[@]}"; do
      note "running $script"
      case $script in
        *.sh) . "$script" ;;
        *.sql) MYSQL_PWD=${MYSQL_ROOT_PASSWORD:-} "${client[@]}" ${MYSQL_DATABASE:+"$MYSQL_DATABASE"} <"$script" ;;
        *) note "ignoring $script" ;;
      esac
    done
    kill "$pid"
    wait "$pid"
    rm -f "$init"
  else
    set -- "--init-file=$init" "$@"
  fi
fi

exec "${server[@]}" "$@"
