<?php
// All that this shop had to learn about Yaopai: its three questions (docs/api.md, "The webhook").

declare(strict_types=1);

/** @return array{int, array} the status, and what is answered as JSON */
function yaopai_webhook(string $body): array
{
    if (!yaopai_signed($body)) {
        return [401, ['error' => 'the signature is wrong']];
    }
    ['type' => $type, 'data' => $data] = json_decode($body, true, 32, JSON_THROW_ON_ERROR);
    switch ($type) {
        case 'opened':
            // This call has a PHP session of its own. Log it in as your login page does: its cookie goes back with the answer, and
            // Yaopai shows it with every request of that mini program's session.
            session_regenerate_id(true);
            $_SESSION['user'] = $data['user'];
            return [200, ['logged_in' => true]];
        case 'resolve':
            return [200, ['user' => null]]; // Ask your table of bound accounts here, if you have one.
        case 'bind':
            $user = shop_login($data['form']['account'] ?? '', $data['form']['password'] ?? '');
            return [200, $user === null ? ['user' => null, 'message' => 'Wrong account or password.'] : ['user' => $user]];
    }
    return [400, ['error' => 'unknown type']];
}

/** Standard Webhooks, "Verifying webhook authenticity". */
function yaopai_signed(string $body): bool
{
    $key = base64_decode(substr(trim((string) getenv('YAOPAI_WEBHOOK_SECRET')), strlen('whsec_')), true);
    $id = $_SERVER['HTTP_WEBHOOK_ID'] ?? '';
    $time = $_SERVER['HTTP_WEBHOOK_TIMESTAMP'] ?? '';
    if (!$key || preg_match('/^\d{1,12}$/D', $time) !== 1 || abs(time() - (int) $time) > 300) {
        return false;
    }
    $right = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$time.$body", $key, true));
    $equal = fn (string $one): bool => hash_equals($right, $one);
    return array_filter(explode(' ', $_SERVER['HTTP_WEBHOOK_SIGNATURE'] ?? ''), $equal) !== [];
}

/** Your own: the password that its form asks for. Here demo-1, demo-2 … are customers, and all use the same. */
function shop_login(string $account, string $password): ?string
{
    return preg_match('/^demo-\d{1,6}$/D', $account) === 1 && $password === 'tea' ? $account : null;
}
