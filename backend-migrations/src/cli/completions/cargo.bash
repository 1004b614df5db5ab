# `cargo NAME …` is completed by NAME, everything else by what completes cargo otherwise.
_NAME_or_cargo() {
    if [[ ${COMP_WORDS[1]} == NAME ]] && ((COMP_CWORD > 1)); then
        COMP_WORDS=("${COMP_WORDS[@]:1}")
        ((COMP_CWORD--))
        _NAME_complete
        return
    fi
    if ! declare -F _cargo >/dev/null; then
        # bash-completion loads cargo's own when it is first asked for, which then takes this one's place.
        { _comp_load cargo || _completion_loader cargo; } &>/dev/null
        complete -o bashdefault -o default -F _NAME_or_cargo cargo
    fi
    declare -F _cargo >/dev/null && _cargo "$@"
}
complete -o bashdefault -o default -F _NAME_or_cargo cargo
