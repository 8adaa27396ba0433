CREATE OR REPLACE FUNCTION public.may_mention(value text, emails text[], numbers text[], wide boolean)
 RETURNS boolean
 LANGUAGE sql
 IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN (value IS NULL) THEN false WHEN (lower((value COLLATE "C")) ~~ ANY ((emails || numbers))) THEN true WHEN (octet_length(value) = length(value)) THEN false WHEN ((wide OR (value ~ '[\uFF01-\uFF5E\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]'::text)) AND (lower(NORMALIZE(regexp_replace(value, '[\u00AD\u200B-\u200F\u2060-\u2064\uFEFF]'::text, ''::text, 'g'::text), NFKC)) ~~ ANY ((emails || numbers)))) THEN true ELSE ((cardinality(numbers) > 0) AND (value ~ '[\u0660-\u1C59\uA620-\uABF9\uFF10-\uFF19\U000104A0-\U0001FBF9]'::text) AND (digits(value) ~~ ANY (numbers))) END;
