# The NAME of the checkout one stands in. Other projects have a NAME too, which must not be run to be asked.
_NAME_program() {
    local dir=$PWD
    until [[ -f $dir/PACKAGE/src/cli/completions.rs ]]; do
        [[ -n $dir ]] || return
        dir=${dir%/*}
    done
    "${CARGO_TARGET_DIR:-$dir/target}/debug/NAME" "$@"
}
