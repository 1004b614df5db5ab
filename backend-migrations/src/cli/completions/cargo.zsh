
# `cargo NAME …` is completed by NAME, everything else by what completed cargo before.
if [[ ${_comps[cargo]} != _NAME_or_cargo ]]; then
    typeset -g _NAME_cargo=${_comps[cargo]:-_default}
fi
function _NAME_or_cargo() {
    if [[ ${words[2]} == NAME ]] && ((CURRENT > 2)); then
        shift words
        ((CURRENT--))
        _clap_dynamic_completer_NAME
    else
        $_NAME_cargo "$@"
    fi
}
compdef _NAME_or_cargo cargo
