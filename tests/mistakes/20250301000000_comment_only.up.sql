-- TODO

