# Sourced by the scripts that make packages: the version, the date, the source to build from, and
# where to build and to leave it. Needs steps.sh.

outboxd_version=$(sed -nE 's/^project\(outboxd VERSION ([0-9.]+).*/\1/p' \
  "$outboxd_source/CMakeLists.txt")

# Of what a package holds: that of the last commit; where there is no history, of the last change.
source_date() {
  git -C "$outboxd_source" log -1 --format=%ct 2>/dev/null ||
    stat -c %Y "$outboxd_source/CHANGELOG.md"
}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(source_date)}

source_files() {
  if [[ -e $outboxd_source/.git ]] && command -v git >/dev/null; then
    git -C "$outboxd_source" ls-files -z --cached --others --exclude-standard
  else
    (cd "$outboxd_source" &&
      find . \( -path './build*' -o -path ./.git \) -prune -o -type f -print0)
  fi
}

# copy_source FOLDER: what belongs to the source, and nothing that a build has left there.
copy_source() {
  mkdir "$1" &&
    source_files | tar -c -C "$outboxd_source" --null --ignore-failed-read -T - |
    tar -x -C "$1"
}

# make_folders [FOLDER]: sets $folder, where the package goes, and $work, removed at the end.
make_folders() {
  folder=${1:-$outboxd_source/build/packages}
  mkdir -p "$folder"
  folder=$(cd "$folder" && pwd)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
}

# What the package is built with.
build_packages() {
  sed -n '/^Build-Depends:/,/^$/p' "$outboxd_source/packaging/deb/debian/control" |
    sed -nE 's/^ ([a-z0-9.+-]+).*,$/\1/p' | sed 's/debhelper-compat/debhelper/'
}
