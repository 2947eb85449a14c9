# Sourced by the scripts that build: gets MySQL's genuine client library and librdkafka. What the
# system lacks is built from Debian's own source packages, once, and kept in the cache:
#
#   NAME-VERSION/include, lib   what is linked
#               /LICENSE        under which terms
#               /source.json    from which file of the archive, with its hash; apt has verified it
#               /stamp          by which recipe, on which distribution; written when all is there

mysql_packages=(bison libncurses-dev)
# Of librdkafka built from source; its HTTP client fetches tokens for SASL/OAUTHBEARER.
rdkafka_packages=(make libcurl4-openssl-dev libsasl2-dev liblz4-dev)

# MariaDB's library also calls itself mysqlclient, but cannot read a binlog.
system_mysql_client() {
  pkg-config --exists 'mysqlclient >= 8.0' &&
    ! pkg-config --cflags --libs mysqlclient | grep -qi mariadb
}

# A library built on another distribution or by another recipe is not used.
library_stamp() {
  (. /etc/os-release && echo "$ID ${VERSION_ID:-} $(uname -m) recipe 2")
}

# source_record NAME VERSION LICENSE FILE: what a list of components tells about a library.
source_record() {
  printf '{"name": "%s", "version": "%s", "license": "%s", "file": "%s", "sha256": "%s"}\n' \
    "$1" "$2" "$3" "$(basename "$4")" "$(sha256sum "$4" | cut -d ' ' -f 1)"
}

# The newest folder of that name in the cache that holds a whole library.
cached_library() {
  local folder
  for folder in "$outboxd_cache/$1"-*; do
    if [[ $(cat "$folder/stamp" 2>/dev/null) == "$(library_stamp)" ]]; then
      echo "$folder"
    fi
  done | sort -V | tail -n 1
}

# Sets $mysql_root: empty for the system's library.
find_mysql_client() {
  mysql_root=
  if system_mysql_client; then
    outcome="the system's $(pkg-config --modversion mysqlclient)"
    return
  fi
  exec 9>"$outboxd_cache/libmysqlclient.lock"
  flock 9
  mysql_root=$(cached_library libmysqlclient)
  if [[ -n $mysql_root ]]; then
    outcome="${mysql_root##*-}, cached"
  else
    build_mysql_client || return 1
    outcome="${mysql_root##*-}, built from source"
  fi
  exec 9>&-
}

build_mysql_client() {
  local work version folder
  install_packages "${mysql_packages[@]}" || return 1
  rm -rf "$outboxd_cache"/mysql-work.*
  work=$(mktemp -d "$outboxd_cache/mysql-work.XXXXXX")
  "$outboxd_source/packaging/sid-download" "$work" mysql-source &&
    dpkg-deb --fsys-tarfile "$work"/mysql-source_*.deb |
    tar -x -O ./usr/src/mysql/mysql-source.tar.gz |
      tar -x -z -C "$work" --exclude='*/mysql-test/*' || return 1
  version=$(sed -nE 's/^MYSQL_VERSION_(MAJOR|MINOR|PATCH)=([0-9]+).*/\2/p' \
    "$work"/mysql-*/MYSQL_VERSION | paste -sd .)
  cmake -G Ninja -S "$work"/mysql-*/ -B "$work/build" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_C_FLAGS="-ffile-prefix-map=$work=." -DCMAKE_CXX_FLAGS="-ffile-prefix-map=$work=." \
    -DCMAKE_C_COMPILER_LAUNCHER=ccache -DCMAKE_CXX_COMPILER_LAUNCHER=ccache \
    -DWITHOUT_SERVER=ON -DWITH_CURL=0 -DWITH_AUTHENTICATION_WEBAUTHN=OFF \
    -DWITH_AUTHENTICATION_CLIENT_PLUGINS=OFF -DWITH_UNIT_TESTS=OFF -DBUILD_TESTING=OFF \
    -DWITH_ROUTER=OFF -DWITH_SSL=system -DWITH_ZLIB=system -DWITH_ZSTD=system &&
    ninja -C "$work/build" mysqlclient || return 1
  for folder in include libmysql; do
    cmake -DCMAKE_INSTALL_COMPONENT=Development -DCMAKE_INSTALL_PREFIX="$work/root" \
      -P "$work/build/$folder/cmake_install.cmake" || return 1
  done
  cp "$work"/mysql-*/LICENSE "$work/root/LICENSE" &&
    source_record libmysqlclient "$version" 'GPL-2.0-only WITH Universal-FOSS-exception-1.0' \
      "$work"/mysql-source_*.deb >"$work/root/source.json" || return 1
  library_stamp >"$work/root/stamp"
  mysql_root=$outboxd_cache/libmysqlclient-$version
  rm -rf "$mysql_root" && mv "$work/root" "$mysql_root" && rm -rf "$work"
}

# Kafka's transactions are safe from this version on.
system_rdkafka() {
  pkg-config --exists 'rdkafka >= 2.10.1'
}

# Sets $rdkafka_root: empty for the system's library.
find_rdkafka() {
  rdkafka_root=
  if [[ ${OUTBOXD_RDKAFKA:-} == system ]]; then
    install_packages librdkafka-dev || return 1
  fi
  if [[ ${OUTBOXD_RDKAFKA:-} == system ]] || system_rdkafka; then
    outcome="the system's $(pkg-config --modversion rdkafka)"
    return
  fi
  install_packages "${rdkafka_packages[@]}" || return 1
  exec 9>"$outboxd_cache/librdkafka.lock"
  flock 9
  rdkafka_root=$(cached_library librdkafka)
  if [[ -n $rdkafka_root ]]; then
    outcome="${rdkafka_root##*-}, cached"
  else
    build_rdkafka || return 1
    outcome="${rdkafka_root##*-}, built from source"
  fi
  exec 9>&-
}

# With its own configure, as Debian does. No path of this machine gets into the library.
build_rdkafka() {
  local work archive version
  rm -rf "$outboxd_cache"/rdkafka-work.*
  work=$(mktemp -d "$outboxd_cache/rdkafka-work.XXXXXX")
  "$outboxd_source/packaging/sid-download" --source "$work" librdkafka || return 1
  # A newer version may be compressed otherwise, and have a signature beside it.
  archive=$(find "$work" -name 'librdkafka_*.orig.tar.*' ! -name '*.asc')
  mkdir "$work/source" && tar -x -C "$work/source" --strip-components=1 -f "$archive" || return 1
  version=${archive##*/librdkafka_}
  version=${version%.orig.tar.*}
  (
    cd "$work/source" &&
      CC='ccache gcc' CXX='ccache g++' \
        CFLAGS="-ffile-prefix-map=$work=. -ffunction-sections -fdata-sections" \
        ./configure --disable-debug-symbols --enable-c11threads --enable-lz4-ext --enable-zlib \
        --enable-zstd --enable-ssl --enable-gssapi --enable-curl &&
      make -C src -j "$(nproc)" librdkafka.a
  ) || return 1
  mkdir -p "$work/root/include/librdkafka" "$work/root/lib" &&
    cp "$work"/source/src/{rdkafka.h,rdkafka_mock.h} "$work/root/include/librdkafka/" &&
    cp "$work/source/src/librdkafka.a" "$work/root/lib/" &&
    cp "$work/source/LICENSES.txt" "$work/root/LICENSE" &&
    source_record librdkafka "$version" BSD-2-Clause "$archive" \
      >"$work/root/source.json" || return 1
  library_stamp >"$work/root/stamp"
  rdkafka_root=$outboxd_cache/librdkafka-$version
  rm -rf "$rdkafka_root" && mv "$work/root" "$rdkafka_root" && rm -rf "$work"
}
