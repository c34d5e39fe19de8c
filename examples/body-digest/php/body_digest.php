<?php
// body_digest.php [CONTENT-DIGEST] < BODY says whether the body is the one that was signed: docs/body-digest.md.

// docs: begin
const MEMBER = '~^[ \t]*([a-z][a-z0-9-]*)=:((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?):(?:;[a-z]+(?:=[a-z]+)?)*[ \t]*$~D';

/** $value: of the one Content-Digest field, null without one. $body: all of it, as it came. */
function body_is_as_signed(?string $value, string $body): bool
{
    $ours = [];
    foreach (explode(',', $value ?? '') as $member) {
        if (preg_match(MEMBER, $member, $m) !== 1) {
            return false;
        }
        if ($m[1] === 'sha-256') {
            $ours[] = $m[2];
        }
    }
    return $ours === [base64_encode(hash('sha256', $body, true))];
}
// docs: end

$right = body_is_as_signed($argv[1] ?? null, stream_get_contents(STDIN));
echo $right ? "as signed\n" : "not as signed\n";
exit($right ? 0 : 1);
