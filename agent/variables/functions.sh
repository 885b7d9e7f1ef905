# Copyright 2026 The Fairlead Authors. SPDX-License-Identifier: Apache-2.0

# What scripts call to speak to the server: each writes service messages to its output. For any
# POSIX shell; bodies are subshells, so that no option of the script's reaches in and nothing leaks out.
encode_servicemessagevalue() (
  set +eux
  if command -v base64 >/dev/null 2>&1; then
    printf %s "${1-}" | base64 | tr -d '\n'
  elif command -v openssl >/dev/null 2>&1; then
    printf %s "${1-}" | openssl base64 -A
  else
    echo 'a service message cannot be written: this machine has neither base64 nor openssl' >&2
    exit 1
  fi
)
decode_servicemessagevalue() (
  set +eux
  if command -v base64 >/dev/null 2>&1; then
    printf %s "${1-}" | base64 -d
  else
    printf %s "${1-}" | openssl base64 -d -A
  fi
)
set_octopusvariable() (
  set +eux
  sensitive=
  if [ "${3-}" = -sensitive ]; then
    sensitive=" sensitive='VHJ1ZQ=='"
  fi
  name=$(encode_servicemessagevalue "${1-}") || exit
  value=$(encode_servicemessagevalue "${2-}") || exit
  printf "##octopus[setVariable name='%s' value='%s'%s]\n" "$name" "$value" "$sensitive"
)
new_octopusartifact() (
  set +eux
  if [ ! -f "${1-}" ]; then
    printf 'new_octopusartifact: there is no file "%s"\n' "${1-}" >&2
    exit 1
  fi
  case $1 in
  /*) where=$1 ;;
  *) where=$PWD/$1 ;;
  esac
  name=${2-}
  [ -n "$name" ] || name=${1##*/}
  path64=$(encode_servicemessagevalue "$where") || exit
  name64=$(encode_servicemessagevalue "$name") || exit
  write_verbose "The artifact $name will be read from $where when this script has ended"
  printf "##octopus[createArtifact path='%s' name='%s']\n" "$path64" "$name64"
)
update_progress() (
  set +eux
  percentage=$(encode_servicemessagevalue "${1-}") || exit
  message=$(encode_servicemessagevalue "${2-}") || exit
  printf "##octopus[progress percentage='%s' message='%s']\n" "$percentage" "$message"
)
fail_step() {
  if [ -n "${1-}" ]; then
    printf "##octopus[resultMessage message='%s']\n" "$(encode_servicemessagevalue "$1")"
  fi
  exit 1
}
write_verbose() { printf '##octopus[stdout-verbose]\n%s\n##octopus[stdout-default]\n' "$*"; }
write_highlight() { printf '##octopus[stdout-highlight]\n%s\n##octopus[stdout-default]\n' "$*"; }
write_wait() { printf '##octopus[stdout-wait]\n%s\n##octopus[stdout-default]\n' "$*"; }
write_warning() { printf '##octopus[stdout-warning]\n%s\n##octopus[stdout-default]\n' "$*"; }
write_error() { printf '##octopus[stdout-error]\n%s\n##octopus[stdout-default]\n' "$*"; }
