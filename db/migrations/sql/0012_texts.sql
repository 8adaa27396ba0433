-- One definition of a text: edges, keys, digits, domains.
SELECT;
