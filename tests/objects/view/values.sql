-- changes: the server deparses VALUES another way the second time
CREATE VIEW values_view (a, b) AS VALUES (1, 'x'), (2, E'\\');
