-- Letters of three and four bytes, from right to left, without width, and combined.
\set x '日本語 😀 ‮אבג​ é'
\ir every_kind.inc
