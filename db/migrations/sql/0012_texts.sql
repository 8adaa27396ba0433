-- What makes two texts the same: edges, search keys, digits, domains. services/text_keys.py says the same in Python, with
-- the same tables (of Unicode 18), and a test runs both over all of Unicode. {collation} is the Unicode-aware collation
-- that this server has; where servers of different versions would disagree, the tables decide.
--
-- Names are qualified inside the functions: a restored dump fills generated columns without a search path.
-- Plain ASCII, by far the most common, is answered within the statement; everything else by a function of its own.

-- White space, control and format characters, fillers and variation selectors are not seen at an edge.
CREATE OR REPLACE FUNCTION strip_edges(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN btrim(value, U&'\0001\0002\0003\0004\0005\0006\0007\0008\0009\000A\000B\000C\000D\000E\000F\0010\0011\0012\0013\0014'
        '\0015\0016\0017\0018\0019\001A\001B\001C\001D\001E\001F\0020\007F\0080\0081\0082\0083\0084\0085\0086'
        '\0087\0088\0089\008A\008B\008C\008D\008E\008F\0090\0091\0092\0093\0094\0095\0096\0097\0098\0099\009A'
        '\009B\009C\009D\009E\009F\00A0\00AD\034F\0600\0601\0602\0603\0604\0605\061C\06DD\070F\0890\0891\08E2'
        '\115F\1160\1680\17B4\17B5\180B\180C\180D\180E\180F\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009'
        '\200A\200B\200C\200D\200E\200F\2028\2029\202A\202B\202C\202D\202E\202F\205F\2060\2061\2062\2063\2064'
        '\2066\2067\2068\2069\206A\206B\206C\206D\206E\206F\2800\3000\3164\FE00\FE01\FE02\FE03\FE04\FE05\FE06'
        '\FE07\FE08\FE09\FE0A\FE0B\FE0C\FE0D\FE0E\FE0F\FEFF\FFA0\FFF9\FFFA\FFFB\+0110BD\+0110CD\+013430'
        '\+013431\+013432\+013433\+013434\+013435\+013436\+013437\+013438\+013439\+01343A\+01343B\+01343C'
        '\+01343D\+01343E\+01343F\+01BCA0\+01BCA1\+01BCA2\+01BCA3\+01D173\+01D174\+01D175\+01D176\+01D177'
        '\+01D178\+01D179\+01D17A\+0E0001\+0E0020\+0E0021\+0E0022\+0E0023\+0E0024\+0E0025\+0E0026\+0E0027'
        '\+0E0028\+0E0029\+0E002A\+0E002B\+0E002C\+0E002D\+0E002E\+0E002F\+0E0030\+0E0031\+0E0032\+0E0033'
        '\+0E0034\+0E0035\+0E0036\+0E0037\+0E0038\+0E0039\+0E003A\+0E003B\+0E003C\+0E003D\+0E003E\+0E003F'
        '\+0E0040\+0E0041\+0E0042\+0E0043\+0E0044\+0E0045\+0E0046\+0E0047\+0E0048\+0E0049\+0E004A\+0E004B'
        '\+0E004C\+0E004D\+0E004E\+0E004F\+0E0050\+0E0051\+0E0052\+0E0053\+0E0054\+0E0055\+0E0056\+0E0057'
        '\+0E0058\+0E0059\+0E005A\+0E005B\+0E005C\+0E005D\+0E005E\+0E005F\+0E0060\+0E0061\+0E0062\+0E0063'
        '\+0E0064\+0E0065\+0E0066\+0E0067\+0E0068\+0E0069\+0E006A\+0E006B\+0E006C\+0E006D\+0E006E\+0E006F'
        '\+0E0070\+0E0071\+0E0072\+0E0073\+0E0074\+0E0075\+0E0076\+0E0077\+0E0078\+0E0079\+0E007A\+0E007B'
        '\+0E007C\+0E007D\+0E007E\+0E007F\+0E0100\+0E0101\+0E0102\+0E0103\+0E0104\+0E0105\+0E0106\+0E0107'
        '\+0E0108\+0E0109\+0E010A\+0E010B\+0E010C\+0E010D\+0E010E\+0E010F\+0E0110\+0E0111\+0E0112\+0E0113'
        '\+0E0114\+0E0115\+0E0116\+0E0117\+0E0118\+0E0119\+0E011A\+0E011B\+0E011C\+0E011D\+0E011E\+0E011F'
        '\+0E0120\+0E0121\+0E0122\+0E0123\+0E0124\+0E0125\+0E0126\+0E0127\+0E0128\+0E0129\+0E012A\+0E012B'
        '\+0E012C\+0E012D\+0E012E\+0E012F\+0E0130\+0E0131\+0E0132\+0E0133\+0E0134\+0E0135\+0E0136\+0E0137'
        '\+0E0138\+0E0139\+0E013A\+0E013B\+0E013C\+0E013D\+0E013E\+0E013F\+0E0140\+0E0141\+0E0142\+0E0143'
        '\+0E0144\+0E0145\+0E0146\+0E0147\+0E0148\+0E0149\+0E014A\+0E014B\+0E014C\+0E014D\+0E014E\+0E014F'
        '\+0E0150\+0E0151\+0E0152\+0E0153\+0E0154\+0E0155\+0E0156\+0E0157\+0E0158\+0E0159\+0E015A\+0E015B'
        '\+0E015C\+0E015D\+0E015E\+0E015F\+0E0160\+0E0161\+0E0162\+0E0163\+0E0164\+0E0165\+0E0166\+0E0167'
        '\+0E0168\+0E0169\+0E016A\+0E016B\+0E016C\+0E016D\+0E016E\+0E016F\+0E0170\+0E0171\+0E0172\+0E0173'
        '\+0E0174\+0E0175\+0E0176\+0E0177\+0E0178\+0E0179\+0E017A\+0E017B\+0E017C\+0E017D\+0E017E\+0E017F'
        '\+0E0180\+0E0181\+0E0182\+0E0183\+0E0184\+0E0185\+0E0186\+0E0187\+0E0188\+0E0189\+0E018A\+0E018B'
        '\+0E018C\+0E018D\+0E018E\+0E018F\+0E0190\+0E0191\+0E0192\+0E0193\+0E0194\+0E0195\+0E0196\+0E0197'
        '\+0E0198\+0E0199\+0E019A\+0E019B\+0E019C\+0E019D\+0E019E\+0E019F\+0E01A0\+0E01A1\+0E01A2\+0E01A3'
        '\+0E01A4\+0E01A5\+0E01A6\+0E01A7\+0E01A8\+0E01A9\+0E01AA\+0E01AB\+0E01AC\+0E01AD\+0E01AE\+0E01AF'
        '\+0E01B0\+0E01B1\+0E01B2\+0E01B3\+0E01B4\+0E01B5\+0E01B6\+0E01B7\+0E01B8\+0E01B9\+0E01BA\+0E01BB'
        '\+0E01BC\+0E01BD\+0E01BE\+0E01BF\+0E01C0\+0E01C1\+0E01C2\+0E01C3\+0E01C4\+0E01C5\+0E01C6\+0E01C7'
        '\+0E01C8\+0E01C9\+0E01CA\+0E01CB\+0E01CC\+0E01CD\+0E01CE\+0E01CF\+0E01D0\+0E01D1\+0E01D2\+0E01D3'
        '\+0E01D4\+0E01D5\+0E01D6\+0E01D7\+0E01D8\+0E01D9\+0E01DA\+0E01DB\+0E01DC\+0E01DD\+0E01DE\+0E01DF'
        '\+0E01E0\+0E01E1\+0E01E2\+0E01E3\+0E01E4\+0E01E5\+0E01E6\+0E01E7\+0E01E8\+0E01E9\+0E01EA\+0E01EB'
        '\+0E01EC\+0E01ED\+0E01EE\+0E01EF');
END $$;

CREATE OR REPLACE FUNCTION fold_unicode(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    folded text := normalize(public.strip_edges(value), NFD);
BEGIN
    -- What `lower` leaves of letter case, and the capitals that Unicode has received since version 14.
    folded := translate(lower(folded COLLATE {collation}),
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
END $$;

-- Letter case does not matter, nor whether an accent is part of its letter or a mark behind it, nor what is not seen at
-- the edges. A key is its own key.
CREATE OR REPLACE FUNCTION fold(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(value) = length(value)
        THEN nullif(lower(btrim(value, U&'\0001\0002\0003\0004\0005\0006\0007\0008\0009\000A\000B\000C\000D\000E\000F\0010\0011\0012\0013\0014'
            '\0015\0016\0017\0018\0019\001A\001B\001C\001D\001E\001F\0020\007F') COLLATE "C"), '')
        ELSE fold_unicode(value) END;

CREATE OR REPLACE FUNCTION digits_unicode(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN nullif(regexp_replace(translate(value, U&'\0660\0661\0662\0663\0664\0665\0666\0667\0668\0669\06F0\06F1\06F2\06F3\06F4\06F5\06F6\06F7\06F8\06F9'
        '\07C0\07C1\07C2\07C3\07C4\07C5\07C6\07C7\07C8\07C9\0966\0967\0968\0969\096A\096B\096C\096D\096E\096F'
        '\09E6\09E7\09E8\09E9\09EA\09EB\09EC\09ED\09EE\09EF\0A66\0A67\0A68\0A69\0A6A\0A6B\0A6C\0A6D\0A6E\0A6F'
        '\0AE6\0AE7\0AE8\0AE9\0AEA\0AEB\0AEC\0AED\0AEE\0AEF\0B66\0B67\0B68\0B69\0B6A\0B6B\0B6C\0B6D\0B6E\0B6F'
        '\0BE6\0BE7\0BE8\0BE9\0BEA\0BEB\0BEC\0BED\0BEE\0BEF\0C66\0C67\0C68\0C69\0C6A\0C6B\0C6C\0C6D\0C6E\0C6F'
        '\0CE6\0CE7\0CE8\0CE9\0CEA\0CEB\0CEC\0CED\0CEE\0CEF\0D66\0D67\0D68\0D69\0D6A\0D6B\0D6C\0D6D\0D6E\0D6F'
        '\0DE6\0DE7\0DE8\0DE9\0DEA\0DEB\0DEC\0DED\0DEE\0DEF\0E50\0E51\0E52\0E53\0E54\0E55\0E56\0E57\0E58\0E59'
        '\0ED0\0ED1\0ED2\0ED3\0ED4\0ED5\0ED6\0ED7\0ED8\0ED9\0F20\0F21\0F22\0F23\0F24\0F25\0F26\0F27\0F28\0F29'
        '\1040\1041\1042\1043\1044\1045\1046\1047\1048\1049\1090\1091\1092\1093\1094\1095\1096\1097\1098\1099'
        '\17E0\17E1\17E2\17E3\17E4\17E5\17E6\17E7\17E8\17E9\1810\1811\1812\1813\1814\1815\1816\1817\1818\1819'
        '\1946\1947\1948\1949\194A\194B\194C\194D\194E\194F\19D0\19D1\19D2\19D3\19D4\19D5\19D6\19D7\19D8\19D9'
        '\1A80\1A81\1A82\1A83\1A84\1A85\1A86\1A87\1A88\1A89\1A90\1A91\1A92\1A93\1A94\1A95\1A96\1A97\1A98\1A99'
        '\1B50\1B51\1B52\1B53\1B54\1B55\1B56\1B57\1B58\1B59\1BB0\1BB1\1BB2\1BB3\1BB4\1BB5\1BB6\1BB7\1BB8\1BB9'
        '\1C40\1C41\1C42\1C43\1C44\1C45\1C46\1C47\1C48\1C49\1C50\1C51\1C52\1C53\1C54\1C55\1C56\1C57\1C58\1C59'
        '\A620\A621\A622\A623\A624\A625\A626\A627\A628\A629\A8D0\A8D1\A8D2\A8D3\A8D4\A8D5\A8D6\A8D7\A8D8\A8D9'
        '\A900\A901\A902\A903\A904\A905\A906\A907\A908\A909\A9D0\A9D1\A9D2\A9D3\A9D4\A9D5\A9D6\A9D7\A9D8\A9D9'
        '\A9F0\A9F1\A9F2\A9F3\A9F4\A9F5\A9F6\A9F7\A9F8\A9F9\AA50\AA51\AA52\AA53\AA54\AA55\AA56\AA57\AA58\AA59'
        '\ABF0\ABF1\ABF2\ABF3\ABF4\ABF5\ABF6\ABF7\ABF8\ABF9\FF10\FF11\FF12\FF13\FF14\FF15\FF16\FF17\FF18\FF19'
        '\+0104A0\+0104A1\+0104A2\+0104A3\+0104A4\+0104A5\+0104A6\+0104A7\+0104A8\+0104A9\+010D30\+010D31'
        '\+010D32\+010D33\+010D34\+010D35\+010D36\+010D37\+010D38\+010D39\+010D40\+010D41\+010D42\+010D43'
        '\+010D44\+010D45\+010D46\+010D47\+010D48\+010D49\+011066\+011067\+011068\+011069\+01106A\+01106B'
        '\+01106C\+01106D\+01106E\+01106F\+0110F0\+0110F1\+0110F2\+0110F3\+0110F4\+0110F5\+0110F6\+0110F7'
        '\+0110F8\+0110F9\+011136\+011137\+011138\+011139\+01113A\+01113B\+01113C\+01113D\+01113E\+01113F'
        '\+0111D0\+0111D1\+0111D2\+0111D3\+0111D4\+0111D5\+0111D6\+0111D7\+0111D8\+0111D9\+0112F0\+0112F1'
        '\+0112F2\+0112F3\+0112F4\+0112F5\+0112F6\+0112F7\+0112F8\+0112F9\+011450\+011451\+011452\+011453'
        '\+011454\+011455\+011456\+011457\+011458\+011459\+0114D0\+0114D1\+0114D2\+0114D3\+0114D4\+0114D5'
        '\+0114D6\+0114D7\+0114D8\+0114D9\+011650\+011651\+011652\+011653\+011654\+011655\+011656\+011657'
        '\+011658\+011659\+0116C0\+0116C1\+0116C2\+0116C3\+0116C4\+0116C5\+0116C6\+0116C7\+0116C8\+0116C9'
        '\+0116D0\+0116D1\+0116D2\+0116D3\+0116D4\+0116D5\+0116D6\+0116D7\+0116D8\+0116D9\+0116DA\+0116DB'
        '\+0116DC\+0116DD\+0116DE\+0116DF\+0116E0\+0116E1\+0116E2\+0116E3\+011730\+011731\+011732\+011733'
        '\+011734\+011735\+011736\+011737\+011738\+011739\+0118E0\+0118E1\+0118E2\+0118E3\+0118E4\+0118E5'
        '\+0118E6\+0118E7\+0118E8\+0118E9\+011950\+011951\+011952\+011953\+011954\+011955\+011956\+011957'
        '\+011958\+011959\+011BF0\+011BF1\+011BF2\+011BF3\+011BF4\+011BF5\+011BF6\+011BF7\+011BF8\+011BF9'
        '\+011C50\+011C51\+011C52\+011C53\+011C54\+011C55\+011C56\+011C57\+011C58\+011C59\+011D50\+011D51'
        '\+011D52\+011D53\+011D54\+011D55\+011D56\+011D57\+011D58\+011D59\+011DA0\+011DA1\+011DA2\+011DA3'
        '\+011DA4\+011DA5\+011DA6\+011DA7\+011DA8\+011DA9\+011DE0\+011DE1\+011DE2\+011DE3\+011DE4\+011DE5'
        '\+011DE6\+011DE7\+011DE8\+011DE9\+011F50\+011F51\+011F52\+011F53\+011F54\+011F55\+011F56\+011F57'
        '\+011F58\+011F59\+016130\+016131\+016132\+016133\+016134\+016135\+016136\+016137\+016138\+016139'
        '\+016A60\+016A61\+016A62\+016A63\+016A64\+016A65\+016A66\+016A67\+016A68\+016A69\+016AC0\+016AC1'
        '\+016AC2\+016AC3\+016AC4\+016AC5\+016AC6\+016AC7\+016AC8\+016AC9\+016B50\+016B51\+016B52\+016B53'
        '\+016B54\+016B55\+016B56\+016B57\+016B58\+016B59\+016D70\+016D71\+016D72\+016D73\+016D74\+016D75'
        '\+016D76\+016D77\+016D78\+016D79\+01CCF0\+01CCF1\+01CCF2\+01CCF3\+01CCF4\+01CCF5\+01CCF6\+01CCF7'
        '\+01CCF8\+01CCF9\+01D7CE\+01D7CF\+01D7D0\+01D7D1\+01D7D2\+01D7D3\+01D7D4\+01D7D5\+01D7D6\+01D7D7'
        '\+01D7D8\+01D7D9\+01D7DA\+01D7DB\+01D7DC\+01D7DD\+01D7DE\+01D7DF\+01D7E0\+01D7E1\+01D7E2\+01D7E3'
        '\+01D7E4\+01D7E5\+01D7E6\+01D7E7\+01D7E8\+01D7E9\+01D7EA\+01D7EB\+01D7EC\+01D7ED\+01D7EE\+01D7EF'
        '\+01D7F0\+01D7F1\+01D7F2\+01D7F3\+01D7F4\+01D7F5\+01D7F6\+01D7F7\+01D7F8\+01D7F9\+01D7FA\+01D7FB'
        '\+01D7FC\+01D7FD\+01D7FE\+01D7FF\+01E140\+01E141\+01E142\+01E143\+01E144\+01E145\+01E146\+01E147'
        '\+01E148\+01E149\+01E2F0\+01E2F1\+01E2F2\+01E2F3\+01E2F4\+01E2F5\+01E2F6\+01E2F7\+01E2F8\+01E2F9'
        '\+01E4F0\+01E4F1\+01E4F2\+01E4F3\+01E4F4\+01E4F5\+01E4F6\+01E4F7\+01E4F8\+01E4F9\+01E5F1\+01E5F2'
        '\+01E5F3\+01E5F4\+01E5F5\+01E5F6\+01E5F7\+01E5F8\+01E5F9\+01E5FA\+01E950\+01E951\+01E952\+01E953'
        '\+01E954\+01E955\+01E956\+01E957\+01E958\+01E959\+01FBF0\+01FBF1\+01FBF2\+01FBF3\+01FBF4\+01FBF5'
        '\+01FBF6\+01FBF7\+01FBF8\+01FBF9',
        repeat('0123456789', 76)), '[^0-9]', '', 'g'), '');
END $$;

-- The digits of a phone number as 0-9; the decimal digits of every script count as digits.
CREATE OR REPLACE FUNCTION digits(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(value) = length(value)
        THEN nullif(regexp_replace(value, '[^0-9]', '', 'g'), '') ELSE digits_unicode(value) END;

-- A label of a domain that begins with xn--, in the letters that it stands for (RFC 3492); as it is when it stands for
-- none.
CREATE OR REPLACE FUNCTION decoded_label(label text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
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
END $$;

-- Small letters, as UTS 46 maps them whatever comes next.
CREATE OR REPLACE FUNCTION lower_domain(domain text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN lower(translate(domain,
        U&'\0345\03A3\1E9E\1C80\1C81\1C82\1C83\1C84\1C85\1C86\1C87\1C88\1C89\A7CB\A7CC\A7CE\A7D2\A7D4\A7DA\A7DC'
        '\A7DD\A7E2\AB6C\AB6D\+010D50\+010D51\+010D52\+010D53\+010D54\+010D55\+010D56\+010D57\+010D58\+010D59'
        '\+010D5A\+010D5B\+010D5C\+010D5D\+010D5E\+010D5F\+010D60\+010D61\+010D62\+010D63\+010D64\+010D65'
        '\+016EA0\+016EA1\+016EA2\+016EA3\+016EA4\+016EA5\+016EA6\+016EA7\+016EA8\+016EA9\+016EAA\+016EAB'
        '\+016EAC\+016EAD\+016EAE\+016EAF\+016EB0\+016EB1\+016EB2\+016EB3\+016EB4\+016EB5\+016EB6\+016EB7'
        '\+016EB8\+01DF40\+01DF48\+01DF4A\+01DF4D\+01DF51\+01DF68\+01DF6A\+01DF6C\+01DF6E\+01DF72\+01DF74'
        '\+01DF76\+01DF78\+01DF7A\+01DF7C\+01DF7E',
        U&'\03B9\03C3\00DF\0432\0434\043E\0441\0442\0442\044A\0463\A64B\1C8A\0264\A7CD\A7CF\A7D3\A7D5\A7DB\019B'
        '\0277\027C\AB4B\AB4C\+010D70\+010D71\+010D72\+010D73\+010D74\+010D75\+010D76\+010D77\+010D78\+010D79'
        '\+010D7A\+010D7B\+010D7C\+010D7D\+010D7E\+010D7F\+010D80\+010D81\+010D82\+010D83\+010D84\+010D85'
        '\+016EBB\+016EBC\+016EBD\+016EBE\+016EBF\+016EC0\+016EC1\+016EC2\+016EC3\+016EC4\+016EC5\+016EC6'
        '\+016EC7\+016EC8\+016EC9\+016ECA\+016ECB\+016ECC\+016ECD\+016ECE\+016ECF\+016ED0\+016ED1\+016ED2'
        '\+016ED3\+01DF41\+01DF49\+01DF4B\+01DF4E\+01DF52\+01DF69\+01DF6B\+01DF6D\+01DF6F\+01DF73\+01DF75'
        '\+01DF77\+01DF79\+01DF7B\+01DF7D\+01DF7F') COLLATE {collation});
END $$;

-- A domain in small Unicode letters, whichever way it was spelt: as UTS 46 maps it, and with the letters that IDNA 2008
-- tells apart (ß is not ss) and the joiners that it knows.
CREATE OR REPLACE FUNCTION domain_key(domain text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    mapped text := domain;
BEGIN
    IF octet_length(domain) <> length(domain) THEN
        mapped := translate(mapped, U&'\3002\FF0E\FF61', '...');
        mapped := regexp_replace(mapped,
            '[\u00AD\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180F\u200B\u2060-\u2064\u206A-\u206F\u3164'
            '\uFE00-\uFE0F\uFEFF\uFFA0\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U000E0100-\U000E01EF]', '', 'g');
        -- Forms of other letters: the lunate sigma, the final ones of mathematics, and what Unicode has received
        -- since version 14.
        mapped := translate(mapped, U&'\03F2\+01D6D3\+01D70D\+01D747\+01D781\+01D7BB\0558\058B\058C\209D\209E\209F\A7F1\+0107BB\+0107BC'
            '\+0107BD\+0107BE\+0107BF\+01CCD6\+01CCD7\+01CCD8\+01CCD9\+01CCDA\+01CCDB\+01CCDC\+01CCDD\+01CCDE'
            '\+01CCDF\+01CCE0\+01CCE1\+01CCE2\+01CCE3\+01CCE4\+01CCE5\+01CCE6\+01CCE7\+01CCE8\+01CCE9\+01CCEA'
            '\+01CCEB\+01CCEC\+01CCED\+01CCEE\+01CCEF\+01CCF0\+01CCF1\+01CCF2\+01CCF3\+01CCF4\+01CCF5\+01CCF6'
            '\+01CCF7\+01CCF8\+01CCF9\+01D6A6\+01DF95\+01DFCD\+01DFCE\+01DFCF\+01DFD0\+01DFD1\+01DFD2\+01DFD3'
            '\+01DFD4\+01DFD5\+01DFD6\+01DFD7\+01DFD8\+01DFD9\+01DFDA\+01DFDB\+01DFDC\+01DFDD\+01DFDE\+01DFDF'
            '\+01DFE0\+01DFE1\+01DFE2\+01DFE3\+01DFE4\+01DFE5\+01DFE6\+01DFE7\+01DFE8\+01DFE9\+01DFEA\+01DFEB'
            '\+01DFEC\+01DFED\+01DFEE\+01DFEF\+01DFF0\+01DFF1\+01DFF2\+01DFF3\+01DFF4\+01DFF5\+01DFF6\+01DFF7'
            '\+01DFF8\+01DFF9\+01DFFA\+01DFFB\+01DFFC\+01DFFD\+01DFFE\+01DFFF\+01E030\+01E031\+01E032\+01E033'
            '\+01E034\+01E035\+01E036\+01E037\+01E038\+01E039\+01E03A\+01E03B\+01E03C\+01E03D\+01E03E\+01E03F'
            '\+01E040\+01E041\+01E042\+01E043\+01E044\+01E045\+01E046\+01E047\+01E048\+01E049\+01E04A\+01E04B'
            '\+01E04C\+01E04D\+01E04E\+01E04F\+01E050\+01E051\+01E052\+01E053\+01E054\+01E055\+01E056\+01E057'
            '\+01E058\+01E059\+01E05A\+01E05B\+01E05C\+01E05D\+01E05E\+01E05F\+01E060\+01E061\+01E062\+01E063'
            '\+01E064\+01E065\+01E066\+01E067\+01E068\+01E069\+01E06A\+01E06B\+01E06C\+01E06D',
            U&'\03C3\03C3\03C3\03C3\03C3\03C3\0567\056B\0575\0077\0079\007A\0053\0287\0296\0297\029E\+01DF0B\0041'
            '\0042\0043\0044\0045\0046\0047\0048\0049\004A\004B\004C\004D\004E\004F\0050\0051\0052\0053\0054\0055'
            '\0056\0057\0058\0059\005A\0030\0031\0032\0033\0034\0035\0036\0037\0038\0039\00DF\00DF\+01DF57'
            '\+01DF58\+01DF59\0263\1D18\0180\0111\01E5\0142\019A\+01DF50\+01DF3E\0249\1D7F\+01DF3F\019E\027C\0238'
            '\0239\+01DF2B\+01DF19\0286\1D98\+01DF2C\+01DF1C\0293\1D9A\1D05\1D00\1D07\027F\0285\02AE\02AF\0221'
            '\0234\0235\0236\03C8\03C9\1D81\A795\1D87\1D8A\1D8E\0188\0199\01A5\02A0\01AD\+01DF09\0430\0431\0432'
            '\0433\0434\0435\0436\0437\0438\043A\043B\043C\043E\043F\0440\0441\0442\0443\0444\0445\0446\0447\0448'
            '\044B\044D\044E\A689\04D9\0456\0458\04E9\04AF\04CF\0430\0431\0432\0433\0434\0435\0436\0437\0438\043A'
            '\043B\043E\043F\0441\0443\0444\0445\0446\0447\0448\044A\044B\0491\0456\0455\045F\04AB\A651\04B1');
        IF mapped ~ '[𛄣-𛄦]' THEN
            mapped := replace(mapped, U&'\+01B123', U&'\3053\3068');
            mapped := replace(mapped, U&'\+01B124', U&'\30C8\30AD');
            mapped := replace(mapped, U&'\+01B125', U&'\30C8\30C6');
            mapped := replace(mapped, U&'\+01B126', U&'\30E8\30EA');
        END IF;
        mapped := normalize(public.lower_domain(normalize(mapped, NFKD)), NFKC);
    END IF;
    mapped := lower(mapped COLLATE {collation});
    IF strpos(mapped, 'xn--') = 0 THEN
        RETURN mapped;
    END IF;
    RETURN (
        SELECT string_agg(CASE WHEN label LIKE 'xn--%' THEN public.decoded_label(label) ELSE label END, '.'
            ORDER BY number)
        FROM unnest(string_to_array(mapped, '.')) WITH ORDINALITY AS labels (label, number));
END $$;

CREATE OR REPLACE FUNCTION email_key_unicode(value text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    address text := public.strip_edges(value);
    at integer := length(address) - strpos(reverse(address), '@') + 1;
BEGIN
    IF at > length(address) THEN
        RETURN public.fold(address);
    END IF;
    RETURN coalesce(public.fold(left(address, at - 1)), '') || '@' || public.domain_key(substr(address, at + 1));
END $$;

-- An e-mail address as searches and accounts compare it: the part before the @ is folded, the domain is compared as mail
-- servers do.
CREATE OR REPLACE FUNCTION email_key(value text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN octet_length(value) = length(value) AND strpos(lower(value COLLATE "C"), 'xn--') = 0
        THEN fold(value) ELSE email_key_unicode(value) END;

REVOKE ALL ON FUNCTION strip_edges(text), fold_unicode(text), digits_unicode(text), decoded_label(text),
    lower_domain(text), domain_key(text),
    email_key_unicode(text), email_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION strip_edges(text), fold_unicode(text), digits_unicode(text), decoded_label(text),
    lower_domain(text), domain_key(text), email_key_unicode(text), email_key(text) TO esupport_app, esupport_jobs;
