CREATE OR REPLACE FUNCTION public.fold_unicode(value text)
 RETURNS text
 LANGUAGE plpgsql
 IMMUTABLE PARALLEL SAFE STRICT
AS $function$
DECLARE
    folded text := normalize(public.strip_edges(value), NFD);
BEGIN
    -- What `lower` leaves of letter case, and the capitals that Unicode has received since version 14.
    folded := translate(lower(folded COLLATE pg_catalog."pg_c_utf8"),
        U&'\00B5\017F\0345\03C2\03D0\03D1\03D5\03D6\03F0\03F1\03F5\1C80\1C81\1C82\1C83\1C84\1C85\1C86\1C87\1C88'
        '\0131\1C89\A7CB\A7CC\A7CE\A7D2\A7D4\A7DA\A7DC\A7DD\A7E2\AB6C\AB6D\+010D50\+010D51\+010D52\+010D53'
        '\+010D54\+010D55\+010D56\+010D57\+010D58\+010D59\+010D5A\+010D5B\+010D5C\+010D5D\+010D5E\+010D5F'
        '\+010D60\+010D61\+010D62\+010D63\+010D64\+010D65\+016EA0\+016EA1\+016EA2\+016EA3\+016EA4\+016EA5'
        '\+016EA6\+016EA7\+016EA8\+016EA9\+016EAA\+016EAB\+016EAC\+016EAD\+016EAE\+016EAF\+016EB0\+016EB1'
        '\+016EB2\+016EB3\+016EB4\+016EB5\+016EB6\+016EB7\+016EB8\+01DF40\+01DF48\+01DF4A\+01DF4D\+01DF51'
        '\+01DF68\+01DF6A\+01DF6C\+01DF6E\+01DF72\+01DF74\+01DF76\+01DF78\+01DF7A\+01DF7C\+01DF7E',
        U&'\03BC\0073\03B9\03C3\03B2\03B8\03C6\03C0\03BA\03C1\03B5\0432\0434\043E\0441\0442\0442\044A\0463\A64B'
        '\0069\1C8A\0264\A7CD\A7CF\A7D3\A7D5\A7DB\019B\0277\027C\AB4B\AB4C\+010D70\+010D71\+010D72\+010D73'
        '\+010D74\+010D75\+010D76\+010D77\+010D78\+010D79\+010D7A\+010D7B\+010D7C\+010D7D\+010D7E\+010D7F'
        '\+010D80\+010D81\+010D82\+010D83\+010D84\+010D85\+016EBB\+016EBC\+016EBD\+016EBE\+016EBF\+016EC0'
        '\+016EC1\+016EC2\+016EC3\+016EC4\+016EC5\+016EC6\+016EC7\+016EC8\+016EC9\+016ECA\+016ECB\+016ECC'
        '\+016ECD\+016ECE\+016ECF\+016ED0\+016ED1\+016ED2\+016ED3\+01DF41\+01DF49\+01DF4B\+01DF4E\+01DF52'
        '\+01DF69\+01DF6B\+01DF6D\+01DF6F\+01DF73\+01DF75\+01DF77\+01DF79\+01DF7B\+01DF7D\+01DF7F');
    IF folded ~ '[\u00DF\u0149\u0587\u1E9A\u1E9E\uFB00\uFB01\uFB02'
        '\uFB03\uFB04\uFB05\uFB06\uFB13\uFB14\uFB15\uFB16'
        '\uFB17]' THEN
        folded := replace(folded, U&'\00DF', U&'\0073\0073');
        folded := replace(folded, U&'\0149', U&'\02BC\006E');
        folded := replace(folded, U&'\0587', U&'\0565\0582');
        folded := replace(folded, U&'\1E9A', U&'\0061\02BE');
        folded := replace(folded, U&'\1E9E', U&'\0073\0073');
        folded := replace(folded, U&'\FB00', U&'\0066\0066');
        folded := replace(folded, U&'\FB01', U&'\0066\0069');
        folded := replace(folded, U&'\FB02', U&'\0066\006C');
        folded := replace(folded, U&'\FB03', U&'\0066\0066\0069');
        folded := replace(folded, U&'\FB04', U&'\0066\0066\006C');
        folded := replace(folded, U&'\FB05', U&'\0073\0074');
        folded := replace(folded, U&'\FB06', U&'\0073\0074');
        folded := replace(folded, U&'\FB13', U&'\0574\0576');
        folded := replace(folded, U&'\FB14', U&'\0574\0565');
        folded := replace(folded, U&'\FB15', U&'\0574\056B');
        folded := replace(folded, U&'\FB16', U&'\057E\0576');
        folded := replace(folded, U&'\FB17', U&'\0574\056D');
    END IF;
    -- The dot of the Turkish capital, whose small letter is i.
    IF strpos(folded, U&'i\0307') > 0 THEN
        folded := regexp_replace(folded, 'i\u0307+', 'i', 'g');
    END IF;
    folded := normalize(folded, NFC);
    -- Letters since version 14 that are made of others: which of the two forms NFC prefers depends on its version.
    IF folded ~ '[\U000105C9\U000105E4\U00011383\U00011385\U0001138E\U00011391\U000113C5\U000113C7'
        '\U000113C8\U00016121\U00016122\U00016123\U00016124\U00016125\U00016126\U00016127'
        '\U00016128\U00016D68\U00016D69\U00016D6A]' THEN
        folded := replace(folded, U&'\+0105C9', U&'\+0105D2\0307');
        folded := replace(folded, U&'\+0105E4', U&'\+0105DA\0307');
        folded := replace(folded, U&'\+011383', U&'\+011382\+0113C9');
        folded := replace(folded, U&'\+011385', U&'\+011384\+0113BB');
        folded := replace(folded, U&'\+01138E', U&'\+01138B\+0113C2');
        folded := replace(folded, U&'\+011391', U&'\+011390\+0113C9');
        folded := replace(folded, U&'\+0113C5', U&'\+0113C2\+0113C2');
        folded := replace(folded, U&'\+0113C7', U&'\+0113C2\+0113B8');
        folded := replace(folded, U&'\+0113C8', U&'\+0113C2\+0113C9');
        folded := replace(folded, U&'\+016121', U&'\+01611E\+01611E');
        folded := replace(folded, U&'\+016122', U&'\+01611E\+016129');
        folded := replace(folded, U&'\+016123', U&'\+01611E\+01611F');
        folded := replace(folded, U&'\+016124', U&'\+016129\+01611F');
        folded := replace(folded, U&'\+016125', U&'\+01611E\+016120');
        folded := replace(folded, U&'\+016126', U&'\+01611E\+01611E\+01611F');
        folded := replace(folded, U&'\+016127', U&'\+01611E\+016129\+01611F');
        folded := replace(folded, U&'\+016128', U&'\+01611E\+01611E\+016120');
        folded := replace(folded, U&'\+016D68', U&'\+016D67\+016D67');
        folded := replace(folded, U&'\+016D69', U&'\+016D63\+016D67');
        folded := replace(folded, U&'\+016D6A', U&'\+016D63\+016D67\+016D67');
    END IF;
    RETURN nullif(folded, '');
END $function$;
