CREATE OR REPLACE FUNCTION public.decoded_label(label text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
DECLARE
    coded text := substr(label, 5);
    hyphen integer := length(coded) - coalesce(nullif(strpos(reverse(coded), '-'), 0), length(coded) + 1) + 1;
    decoded text := CASE WHEN hyphen > 0 THEN left(coded, hyphen - 1) ELSE '' END;
    code bigint := 128;
    place bigint := 0;
    before bigint;
    weight bigint;
    value integer;
    threshold integer;
    bias integer := 72;
    k integer;
    delta bigint;
    at integer := hyphen + 1;
BEGIN
    IF octet_length(label) <> length(label) OR length(coded) > 300 THEN
        RETURN label;
    END IF;
    WHILE at <= length(coded) LOOP
        before := place;
        weight := 1;
        k := 36;
        LOOP
            value := strpos('abcdefghijklmnopqrstuvwxyz0123456789', substr(coded, at, 1)) - 1;
            IF at > length(coded) OR value < 0 OR place > 1e12 OR weight > 1e15 THEN
                RETURN label;
            END IF;
            at := at + 1;
            place := place + value * weight;
            threshold := CASE WHEN k <= bias THEN 1 WHEN k >= bias + 26 THEN 26 ELSE k - bias END;
            EXIT WHEN value < threshold;
            weight := weight * (36 - threshold);
            k := k + 36;
        END LOOP;
        delta := (place - before) / CASE WHEN before = 0 THEN 700 ELSE 2 END;
        delta := delta + delta / (length(decoded) + 1);
        k := 0;
        WHILE delta > 455 LOOP
            delta := delta / 35;
            k := k + 36;
        END LOOP;
        bias := k + 36 * delta / (delta + 38);
        code := code + place / (length(decoded) + 1);
        place := place % (length(decoded) + 1);
        IF code > 1114111 OR code BETWEEN 55296 AND 57343 THEN
            RETURN label;
        END IF;
        decoded := left(decoded, place::integer) || chr(code::integer) || substr(decoded, place::integer + 1);
        place := place + 1;
    END LOOP;
    RETURN CASE WHEN octet_length(decoded) = length(decoded) THEN label
        ELSE normalize(public.lower_domain(normalize(decoded, NFD)), NFC) END;
END $function$;
