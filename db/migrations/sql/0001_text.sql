-- Text made comparable. Every key column and every searched value goes through these functions, so the two
-- agree by construction. {collation} is the Unicode-aware collation that this server has.

-- Letter case and the ways of writing one letter do not matter; spaces at the ends do not count.
-- lower(upper(x)) joins the two small sigmas and the dotless i; the replacements make servers whose
-- case mapping is simple (ß stays ß) agree with those whose mapping is full (ß becomes SS).
CREATE FUNCTION fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN nullif(btrim(replace(replace(replace(
        lower(upper(normalize(value, NFC) COLLATE {collation}) COLLATE {collation}),
        U&'i\0307', 'i'), 'ß', 'ss'), 'ς', 'σ'),
        U&' \0009\000A\000B\000C\000D\0085\00A0\1680\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000'), '');

-- The digits of a phone number as 0-9; Arabic, Persian, Devanagari and full-width digits count as digits.
CREATE FUNCTION digits(value text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN nullif(regexp_replace(translate(value,
        '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९０１２３４５６７８９',
        '0123456789012345678901234567890123456789'), '[^0-9]', '', 'g'), '');
