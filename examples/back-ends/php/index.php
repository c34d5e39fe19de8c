<?php
// A shop as it was before mini programs: who somebody is, and what is in their cart, stands in PHP's own session.
//
//   YAOPAI_WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:8080 index.php

declare(strict_types=1);
require __DIR__ . '/yaopai.php';

session_start(['use_strict_mode' => true, 'cookie_httponly' => true]);
$_SESSION['cart'] ??= [];

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$asked = $_SERVER['REQUEST_METHOD'] . ' ' . $path;

if ($asked === 'POST /hooks/yaopai') {
    answer(...yaopai_webhook(file_get_contents('php://input')));
} elseif ($asked === 'GET /cart') {
    answer(200, cart());
} elseif (preg_match('~^POST /cart/([\w-]{1,64})$~D', $asked, $found)) {
    $_SESSION['cart'][] = $found[1];
    answer(200, cart());
} elseif ($asked === 'GET /account') {
    isset($_SESSION['user']) ? answer(200, ['user' => $_SESSION['user']]) : answer(401, ['error' => 'log in first']);
} elseif ($asked === 'POST /renew') {
    // What careful back ends do after a login: the same session under a new id.
    session_regenerate_id(true);
    answer(200, cart());
} else {
    answer(404, ['error' => 'there is nothing here']);
}

function cart(): array
{
    return ['items' => $_SESSION['cart'], 'user' => $_SESSION['user'] ?? null];
}

function answer(int $status, array $body): void
{
    http_response_code($status);
    header('Content-Type: application/json');
    echo json_encode($body, JSON_UNESCAPED_UNICODE);
}
