# Sourced by the project's scripts: where things are cached, how steps are printed, how missing
# Debian packages are installed.

outboxd_source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
outboxd_cache=${OUTBOXD_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/outboxd}
mkdir -p "$outboxd_cache/log"
# What was compiled under another locale, as packages are, need not be compiled again.
export CCACHE_SLOPPINESS=${CCACHE_SLOPPINESS:-locale}

if [[ -t 1 ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi

# step LABEL COMMAND...: runs the command with its output in a log file and prints one line. A
# function may set $outcome to say what it found. On failure shows the log's end and exits.
step() {
  local label=$1 log started status=0 elapsed
  shift
  log=$outboxd_cache/log/$(tr -cs 'A-Za-z0-9\n' '-' <<<"$label" | tr 'A-Z' 'a-z').log
  outcome='done'
  [[ -t 1 ]] && printf '  %-22s %s...%s' "$label" "$dim" "$plain"
  started=$(date +%s%N)
  "$@" >"$log" 2>&1 || status=$?
  elapsed=$((($(date +%s%N) - started) / 100000000))
  [[ -t 1 ]] && printf '\r\e[K'
  if ((status != 0)); then
    printf '  %-22s %sfailed%s\n\n' "$label" "$red" "$plain"
    tail -n 30 "$log" | sed 's/^/    /'
    printf '\n  The whole log: %s\n' "$log"
    exit 1
  fi
  printf '  %-22s %-44s %s%5d.%d s%s\n' "$label" "$outcome" "$dim" $((elapsed / 10)) \
    $((elapsed % 10)) "$plain"
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ?i* ]]
}

# install_packages PACKAGE...: asks apt only for what is missing. Nothing that is there may have to
# go for it.
install_packages() {
  local package missing=() as_root=()
  for package in "$@"; do
    is_installed "$package" || missing+=("$package")
  done
  if ((${#missing[@]} == 0)); then
    outcome="all $# there"
    return 0
  fi
  if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
      echo "Missing packages. As root run: apt-get install ${missing[*]}"
      return 1
    fi
    as_root=(sudo)
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update || return 1
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y --no-remove --no-install-recommends -o DPkg::Lock::Timeout=300 \
    install "${missing[@]}" ||
    return 1
  outcome="installed ${#missing[@]} of $#"
}

# download_package FOLDER PACKAGE: of this machine's release, as apt verifies it.
download_package() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  if ! (cd "$1" && apt-get -q download "$2"); then
    "${as_root[@]}" apt-get -q update && (cd "$1" && apt-get -q download "$2")
  fi
}
