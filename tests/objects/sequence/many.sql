-- More than fit into one statement.
SELECT format('CREATE SEQUENCE "a sequence with a rather long name, number %s" START %s', g, g) FROM generate_series(1, 700) AS g \gexec
SELECT setval(format('"a sequence with a rather long name, number %s"', g)::regclass, g * 2, g % 2 = 0) FROM generate_series(1, 700) AS g WHERE g % 3 <> 0;
