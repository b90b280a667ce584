-- As long as a name can be, of letters of two bytes.
\set x 'äöüßéèêëñçàâæœøåíìîïóòôõúùûýþðŸx'
\ir every_kind.inc
