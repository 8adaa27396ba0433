-- What the orders are made of, and chance that is the same every time.

-- A number from 0 to 1 that depends on nothing but its arguments.
CREATE FUNCTION pg_temp.chance(n bigint, salt integer) RETURNS float8
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (hashint8extended(n, salt) & 1073741823) / 1073741824.0::float8;

CREATE FUNCTION pg_temp.pick(choices text[], chance float8) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN choices[1 + floor(cardinality(choices) * chance)::integer];

CREATE TEMP TABLE words AS SELECT
    ARRAY['Anna', 'Thomas', 'Maria', 'Michael', 'Élodie', 'Peter', 'Юрий', 'Sofia', 'Jürgen', 'Inês', 'Μαρία', 'Lucas',
        'Emma', 'Анна', 'Luís', 'Zoë', 'Søren', 'Chloé', 'Paweł', 'Małgorzata', 'José', 'Noah', 'Olivia', 'William',
        'Мария', 'Björn', 'Ana', 'João', 'Γιώργος', 'Çağla', 'İbrahim', '美咲', '翔太', 'Hanna', 'Tomáš', 'Zsófia',
        'Mihai', 'Ioana', 'Petra', 'Ивана', 'Óscar', 'Núria', 'Aoife', 'Siân', 'Fatma', 'Omar', 'Layla', 'Yusuf',
        'Priya', 'Arjun', 'Wei', 'Linh', 'Minh', 'Siti', 'Budi', 'Kwame', 'Amara', 'Thabo', 'Aroha', 'Mana']
        AS first_names,
    ARRAY['Mül', 'Schmi', 'Kowal', 'Nova', 'Gar', 'Sil', 'Peter', 'Johan', 'Ander', 'Ber', 'Ros', 'Lind', 'Hoff', 'Mart',
        'Dubo', 'Lefe', 'Fer', 'Rod', 'Per', 'Kar', 'Jan', 'Niel', 'Holm', 'Wal', 'Bro', 'Tay', 'Har', 'Mor', 'Ev',
        'Fis', 'Web', 'Kai', 'Wag', 'Zim', 'Bran', 'Con', 'Mur', 'Whit', 'Gal', 'Sal'] AS beginnings,
    ARRAY['ler', 'dt', 'ski', 'k', 'cía', 'va', 'son', 'sen', 'ger', 'berg', 'man', 'inez', 'is', 'bvre', 'reira',
        'rigues', 'eira', 'lsson', 'owicz', 'sen', 'quist', 'ter', 'wn', 'lor', 'ris', 'gan', 'ans', 'cher', 'er', 'ser',
        'ner', 'mer', 'dt', 'nor', 'phy', 'aker', 'lagher', 'azar', 'ow', 'ez'] AS endings,
    ARRAY['Иванова', 'Смирнов', 'Кузнецова', 'Παπαδόπουλος', 'Οικονόμου', '佐藤', '鈴木', '王', 'Ковальчук', 'Шевченко']
        AS other_last_names,
    ARRAY['example.com', 'mail.example', 'post.example', 'example.org', 'office.example', 'example.net'] AS domains,
    ARRAY['DE', 'DE', 'FR', 'GB', 'US', 'PT', 'PL', 'RU', 'JP', 'BR'] AS countries,
    ARRAY['+49', '+49', '+33', '+44', '+1', '+351', '+48', '+7', '+81', '+55'] AS prefixes,
    ARRAY[' GmbH', ' AG', ' Ltd', ' S.A.', ' LLC', ' & Söhne', ' Sp. z o.o.', ' K.K.'] AS forms;

-- The first eight renew by themselves, or in one way or another.
CREATE TEMP TABLE product AS SELECT * FROM (VALUES
    (1, 'AV-1', 'Antivirus, 1 device', 24.90, 'AR', 'P1Y'), (2, 'AV-3', 'Antivirus, 3 devices', 39.90, 'AR', 'P1Y'),
    (3, 'TS-1', 'Total Security, 1 device', 34.90, 'AR', 'P1Y'), (4, 'VPN-M', 'VPN, one month', 4.99, 'AR', 'P1M'),
    (5, 'TS-5', 'Total Security, 5 devices', 69.90, 'PMR', 'P1Y'), (6, 'PW-1', 'Password Manager', 13.90, 'AR', 'P1Y'),
    (7, 'KIDS', 'Safe Kids', 12.50, 'PMR', 'P1Y'), (8, 'BIZ-10', 'Small Office, 10 devices', 229.00, 'MR', 'P1Y'),
    (9, 'AV-MAC', 'Antivirus for Mac', 27.90, NULL, NULL), (10, 'BOX', 'Backup disc, physical', 9.90, NULL, NULL),
    (11, 'HELP', 'Premium support, one call', 19.90, NULL, NULL), (12, 'CLOUD', 'Cloud console', 149.00, NULL, NULL)
) AS p (number, sku, name, price, renewal, period);
