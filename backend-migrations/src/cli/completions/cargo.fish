# `cargo NAME …` is completed by NAME, everything else by fish's own completion of cargo.
complete --keep-order --no-files --command cargo --condition 'test "$(commandline --current-process --tokenize --cut-at-cursor)[2]" = NAME' --arguments "(COMPLETE=fish _NAME_program -- (commandline --current-process --tokenize --cut-at-cursor)[2..] (commandline --current-token))"
