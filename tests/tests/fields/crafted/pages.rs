//! HTTP messages with many fields, and a body in chunks.

use super::stream;

pub(super) fn frames() -> Vec<Vec<u8>> {
    let texts = [REQUEST, RESPONSE, CHUNKED];
    let ports = [[6101, 80], [80, 6102], [80, 6103]];
    texts
        .iter()
        .zip(ports)
        .map(|(text, ports)| stream(ports, text.replace('\n', "\r\n").as_bytes()))
        .collect()
}

const REQUEST: &str = "\
GET /items?id=3 HTTP/1.1
Host: shop.test
User-Agent: a-browser/1
Accept: text/html
Accept-Encoding: gzip, br
Accept-Language: en
Connection: keep-alive
Referer: http://shop.test/
Cookie: session=7
If-None-Match: \"v1\"
If-Modified-Since: Thu, 01 Jan 2026 00:00:00 GMT
Range: bytes=0-9
Authorization: Bearer abc
X-Own: 1

";

const RESPONSE: &str = "\
HTTP/1.1 302 Found
Date: Thu, 01 Jan 2026 00:00:00 GMT
Server: framewise
Location: /elsewhere
Set-Cookie: session=7; Path=/
Cache-Control: no-store
ETag: \"v1\"
Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT
Content-Type: text/plain
Content-Length: 2
Vary: Accept-Encoding
Allow: GET, HEAD
Retry-After: 5

ok";

const CHUNKED: &str = "\
HTTP/1.1 200 OK
Transfer-Encoding: chunked
Content-Type: text/plain

5
hello
A
0123456789
0

";
