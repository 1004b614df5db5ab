# Readline takes ':' and '=' for the ends of words: here the words are joined again, and what readline already holds
# is cut off the candidates. Nothing of the bash-completion package is needed.
_NAME_complete() {
    local rest=${COMP_LINE:0:COMP_POINT} breaks=${COMP_WORDBREAKS//[^:=]/} words=() word i
    for ((i = 0; i <= COMP_CWORD; i++)); do
        [[ $i -eq 0 || $rest == [[:blank:]]* ]] && words+=("")
        rest=${rest#"${rest%%[![:blank:]]*}"}
        word=${COMP_WORDS[i]}
        ((i == COMP_CWORD)) && word=$rest
        words[-1]+=$word
        rest=${rest#*"$word"}
    done
    mapfile -t COMPREPLY < <(
        _CLAP_COMPLETE_INDEX=$((${#words[@]} - 1)) COMPLETE=bash PROGRAM -- "${words[@]}" 2>/dev/null
    )
    word=${words[-1]}
    if [[ -n $breaks && $word == *["$breaks"]* ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${word%"${word##*["$breaks"]}"}"}")
    fi
    [[ ${COMPREPLY-} == *[:=/] ]] && compopt -o nospace
}
complete -o bashdefault -o nosort -F _NAME_complete NAME
