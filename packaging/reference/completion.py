"""Completion for bash and zsh, made from the pages in docs/."""

import re

import pages


UNIT = ("`--unit NAME`", "It takes the configuration of this unit.")


def options_of(command):
    """A relay's configuration can be named by its unit, but for `run`."""
    given = list(command.options)
    if command.name != "run" and any(option.startswith("`--config") for option, _ in given):
        given.append(UNIT)
    return given


def option_words(command):
    """"--from P" gives "--from"."""
    return [re.sub(r"[ =].*", "", option.strip("`")) for option, _ in options_of(command)]


def values_of(key):
    """The words that a key takes; empty: it takes other values."""
    if key.type == "yes or no":
        return ["yes", "no"]
    return [word.strip() for word in key.values.split(",")] if key.type == "word" else []


def second_words(commands):
    found = {}
    for command in commands:
        first, _, second = command.name.partition(" ")
        if second:
            found.setdefault(first, []).append(second)
        for form in command.forms:
            for word in re.findall(rf"^outboxd {first} \[([a-z]+)\]", form):
                found.setdefault(first, []).append(word)
    return found


def one_sentence(markdown):
    text = re.sub(r"\s+", " ", re.sub(r"<!--.*?-->", "", markdown, flags=re.S)).strip()
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text).replace("`", "")
    return re.match(r".*?(?=\. |: |\.$|$)", text)[0].replace("'", "").removeprefix("It ")


def bash():
    commands = pages.commands()
    lines = [
        "# Completion of outboxd for bash; made from docs/commands.md and docs/configuration.md.",
        "", "_outboxd_values() {", "  case $1 in"]
    for key in pages.keys():
        if values_of(key):
            lines.append(f"    --{key.name}) echo '{' '.join(values_of(key))}' ;;")
    lines += ["  esac", "}", "", "_outboxd_options() {", "  case $1 in"]
    for command in commands:
        if option_words(command):
            lines.append(f"    '{command.name}') echo '{' '.join(option_words(command))}' ;;")
    seconds = second_words(commands)
    lines += ["  esac", "}", "", "_outboxd_words() {", "  case $1 in"]
    for first, words in seconds.items():
        lines.append(f"    {first}) echo '{' '.join(words)}' ;;")
    firsts = list(dict.fromkeys(command.name.partition(" ")[0] for command in commands))
    keys = " ".join(f"--{key.name}=" for key in pages.keys() if "*" not in key.name)
    lines += ["  esac", "}", "", f"_outboxd_commands='{' '.join(firsts)}'",
              f"_outboxd_keys='{keys}'", "", BASH_FUNCTION]
    return "\n".join(lines)


BASH_FUNCTION = r"""_outboxd_units() {
  local file
  for file in /etc/outboxd/*.conf; do
    [[ -e $file ]] && basename "$file" .conf
  done
}

_outboxd() {
  local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} first='' second='' i
  COMPREPLY=()
  # Bash takes "=" for a word of its own.
  if [[ $current == = ]]; then
    current=
  elif [[ $before == = ]]; then
    before=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      --config | --unit | --from | --preset | --table | --name | --*.*)
        [[ ${COMP_WORDS[i + 1]} == = ]] && ((++i))
        ((++i))
        ;;
      -*) ;;
      *)
        if [[ -z $first ]]; then
          first=${COMP_WORDS[i]}
        elif [[ -z $second ]]; then
          second=${COMP_WORDS[i]}
        fi
        ;;
    esac
  done
  case $before in
    --unit)
      COMPREPLY=($(compgen -W "$(_outboxd_units)" -- "$current"))
      return
      ;;
    --config)
      COMPREPLY=($(compgen -f -- "${current:-/etc/outboxd/}"))
      compopt -o filenames 2>/dev/null
      return
      ;;
    --from)
      COMPREPLY=($(compgen -W 'now earliest table gtid: file:' -- "$current"))
      return
      ;;
    --*.*)
      COMPREPLY=($(compgen -W "$(_outboxd_values "$before")" -- "$current"))
      return
      ;;
  esac
  if [[ $current == --*.* ]]; then
    COMPREPLY=($(compgen -W "$_outboxd_keys" -- "$current"))
    compopt -o nospace 2>/dev/null
  elif [[ $current == -* ]]; then
    local options
    options=$(_outboxd_options "$first")
    [[ -z $options ]] && options=$(_outboxd_options "$first $second")
    [[ -z $first ]] && options='--help --version --unit --config'
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [[ -z $first ]]; then
    COMPREPLY=($(compgen -W "$_outboxd_commands" -- "$current"))
  elif [[ -z $second && -n $(_outboxd_words "$first") ]]; then
    COMPREPLY=($(compgen -W "$(_outboxd_words "$first")" -- "$current"))
  else
    COMPREPLY=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _outboxd outboxd
"""


def zsh_option(option, meaning):
    """As _arguments takes it."""
    name, _, value = option.strip("`").partition(" ")
    actions = {"--config": ":file:_files -W /etc/outboxd -g '*.conf'",
               "--unit": ":unit:(${(f)units})"}
    text = re.sub(r"([\[\]:])", r"\\\1", one_sentence(meaning))
    action = actions.get(name, f":{value}:" if value else "")
    return f'"{name}[{text}]{action}"'


def zsh():
    commands = pages.commands()
    seconds = second_words(commands)
    described = {}
    for command in commands:
        first = command.name.partition(" ")[0]
        described.setdefault(first, one_sentence(command.text))
    lines = ["#compdef outboxd",
             "# Made from docs/commands.md and docs/configuration.md.", "",
             "_outboxd() {",
             "  local -a units commands options",
             "  local first=${words[2]} second=${words[3]}",
             "  units=(/etc/outboxd/*.conf(N:t:r))",
             "  commands=("]
    lines += [f"    '{first}:{text}'" for first, text in described.items()]
    lines += ["  )", "  if ((CURRENT == 2)); then", "    _describe command commands", "    return",
              "  fi", "  case $first in"]
    for first, words in seconds.items():
        lines += [f"    {first})", "      if ((CURRENT == 3)) && [[ ${words[3]} != -* ]]; then",
                  f"        compadd {' '.join(words)}", "        return", "      fi",
                  "      first=\"$first $second\"", "      ;;"]
    lines += ["  esac", "  options=()", "  case $first in"]
    for command in commands:
        given = " ".join(zsh_option(*option) for option in options_of(command))
        pattern = command.name.replace(" ", "\\ ")
        if command.name in seconds:
            pattern += "*"
        lines.append(f"    {pattern}) options=({given}) ;;")
    lines += ["  esac",
              "  if [[ ${words[CURRENT]} == --*.* ]]; then", "    compadd -S '' -- \\"]
    lines += [f"      --{key.name}= \\" for key in pages.keys() if "*" not in key.name]
    lines[-1] = lines[-1].removesuffix(" \\")
    lines += ["    return", "  fi", "  _arguments $options '*:file:_files'", "}", "",
              "_outboxd \"$@\"", ""]
    return "\n".join(lines)
