# The NAME of the checkout one stands in. Other projects have a NAME too, which must not be run to be asked.
function _NAME_program
    set --local dir $PWD
    while not test -f $dir/PACKAGE/src/cli/completions.rs
        test -n "$dir"; or return
        set dir (string replace --regex '/[^/]*$' '' -- $dir)
    end
    set --query CARGO_TARGET_DIR; or set --local CARGO_TARGET_DIR $dir/target
    $CARGO_TARGET_DIR/debug/NAME $argv
end
