//! A small writer of SVG 1.1: shapes and text with plain attributes, which every program that shows SVG knows.
//!
//! Nothing is loaded from elsewhere, and no text from outside is ever markup. Lengths are in pixels, told to a tenth, so that the
//! same figure is the same bytes everywhere.

use framewise_trace::words::printable;
use std::fmt::{self, Write as _};

/// Text that nobody should have to read is not made.
const SMALLEST: f64 = 9.0;

/// A picture that grows.
pub(crate) struct Svg {
    width: f64,
    title: String,
    description: String,
    body: String,
}

/// Where a box is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) width: f64,
    pub(crate) height: f64,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stroke {
    pub(crate) ink: &'static str,
    pub(crate) width: f64,
    pub(crate) dashed: bool,
}

/// How text is set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Font {
    pub(crate) size: f64,
    pub(crate) ink: &'static str,
    pub(crate) bold: bool,
    pub(crate) anchor: Anchor,
}

/// Which part of a text is at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

impl Stroke {
    pub(crate) fn new(ink: &'static str, width: f64) -> Self {
        Stroke { ink, width, dashed: false }
    }

    pub(crate) fn dashed(self) -> Self {
        Stroke { dashed: true, ..self }
    }
}

impl Font {
    pub(crate) fn new(size: f64, ink: &'static str) -> Self {
        Font { size: size.max(SMALLEST), ink, bold: false, anchor: Anchor::Start }
    }

    pub(crate) fn bold(self) -> Self {
        Font { bold: true, ..self }
    }

    pub(crate) fn at(self, anchor: Anchor) -> Self {
        Font { anchor, ..self }
    }

    /// How wide a text is at most in this font: whose font it will be is not known, so the wider ones count.
    pub(crate) fn width(&self, text: &str) -> f64 {
        let bold = if self.bold { 1.13 } else { 1.0 };
        text.chars().map(width_of).sum::<f64>() * self.size * bold
    }

    /// As much of a text as is not wider than this, what is cut marked; nothing, if that would be hardly a letter.
    pub(crate) fn fit(&self, text: &str, width: f64) -> String {
        let text = printable(text);
        if self.width(&text) <= width {
            return text;
        }
        let mut kept = String::new();
        for c in text.chars() {
            kept.push(c);
            if self.width(&kept) + self.width("..") > width {
                kept.pop();
                break;
            }
        }
        let kept = kept.trim_end();
        if kept.is_empty() { String::new() } else { format!("{kept}..") }
    }
}

impl Font {
    /// A beginning and an end in one line: what does not fit is cut off the beginning, such as a long URL.
    pub(crate) fn fit_before(&self, begin: &str, end: &str, width: f64) -> String {
        let end = self.fit(end, width);
        self.fit(begin, width - self.width(&end)) + &end
    }
}

impl Svg {
    /// A picture of this width, with what a screen reader says of it.
    pub(crate) fn new(width: f64, title: impl Into<String>, description: impl Into<String>) -> Self {
        let (title, description) = (title.into(), description.into());
        Svg { width, title, description, body: String::new() }
    }

    pub(crate) fn rect(&mut self, at: Rect, fill: &str, stroke: Option<Stroke>) {
        let Rect { x, y, width, height } = at;
        let (x, y, width, height) = (Px(x), Px(y), Px(width.max(0.0)), Px(height.max(0.0)));
        let _ = writeln!(
            self.body,
            r#"<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"{}/>"#,
            Stroked(stroke)
        );
    }

    pub(crate) fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        let (x1, y1, x2, y2) = (Px(from.0), Px(from.1), Px(to.0), Px(to.1));
        let _ = writeln!(
            self.body,
            r#"<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"{}/>"#,
            Stroked(Some(stroke))
        );
    }

    /// Straight lines through these points; filled, they are an area.
    pub(crate) fn path(&mut self, points: &[(f64, f64)], fill: &str, stroke: Option<Stroke>) {
        let mut said = String::new();
        for (x, y) in points {
            let _ = write!(said, "{}{},{}", if said.is_empty() { "" } else { " " }, Px(*x), Px(*y));
        }
        let element = if fill == "none" { "polyline" } else { "polygon" };
        let _ = writeln!(self.body, r#"<{element} points="{said}" fill="{fill}"{}/>"#, Stroked(stroke));
    }

    /// Text whose baseline begins, ends or has its middle here.
    pub(crate) fn text(&mut self, at: (f64, f64), font: Font, text: &str) {
        self.turned_text(at, font, text, false);
    }

    /// Text that is read from below to above.
    pub(crate) fn upward_text(&mut self, at: (f64, f64), font: Font, text: &str) {
        self.turned_text(at, font, text, true);
    }

    fn turned_text(&mut self, (x, y): (f64, f64), font: Font, text: &str, upward: bool) {
        if text.is_empty() {
            return;
        }
        let (x, y) = (Px(x), Px(y));
        let anchor = match font.anchor {
            Anchor::Start => "",
            Anchor::Middle => r#" text-anchor="middle""#,
            Anchor::End => r#" text-anchor="end""#,
        };
        let bold = if font.bold { r#" font-weight="bold""# } else { "" };
        let turn = if upward { format!(r#" transform="rotate(-90 {x} {y})""#) } else { String::new() };
        let _ = writeln!(
            self.body,
            r#"<text x="{x}" y="{y}" font-size="{}" fill="{}"{anchor}{bold}{turn}>{}</text>"#,
            Px(font.size),
            font.ink,
            Escaped(text)
        );
    }

    /// What is drawn within is one thing, of this class, with this told when it is pointed at.
    pub(crate) fn group(&mut self, class: &str, told: &str, draw: impl FnOnce(&mut Self)) {
        let _ = writeln!(self.body, r#"<g class="{}">"#, Escaped(class));
        if !told.is_empty() {
            let _ = writeln!(self.body, "<title>{}</title>", Escaped(told));
        }
        draw(self);
        self.body.push_str("</g>\n");
    }

    /// The whole file, on white: then it can be read on a dark slide, too.
    pub(crate) fn finish(self, height: f64) -> String {
        let (width, height) = (Px(self.width), Px(height));
        format!(
            concat!(
                r#"<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" viewBox="0 0 {w} {h}" "#,
                r#"role="img" aria-labelledby="title description" font-family="sans-serif">"#,
                "\n<title id=\"title\">{title}</title>\n<desc id=\"description\">{description}</desc>\n",
                "<rect width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n{body}</svg>\n"
            ),
            w = width,
            h = height,
            title = Escaped(&self.title),
            description = Escaped(&self.description),
            body = self.body,
        )
    }
}

/// How wide a letter is in the wider of the usual fonts, in parts of their size.
fn width_of(c: char) -> f64 {
    match c {
        ' ' | '!' | '\'' | '(' | ')' | ',' | '.' | '/' | ':' | ';' | '[' | ']' | '|' | 'f' | 'i' | 'j'
        | 'l' | 'r' | 't' => 0.42,
        '%' | '@' | 'M' | 'W' | 'm' | 'w' => 0.98,
        'A'..='Z' => 0.74,
        c if c.is_ascii() => 0.64,
        _ => 1.05,
    }
}

/// A length to a tenth of a pixel, without what says nothing.
struct Px(f64);

impl fmt::Display for Px {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        // A cast of what is no number, or too large, gives 0 or the nearest: a picture is wrong then, never broken.
        let tenths = tenths as i64;
        let sign = if tenths < 0 { "-" } else { "" };
        match (tenths.abs() / 10, tenths.abs() % 10) {
            (whole, 0) => write!(f, "{sign}{whole}"),
            (whole, tenth) => write!(f, "{sign}{whole}.{tenth}"),
        }
    }
}

/// The attributes of a stroke.
struct Stroked(Option<Stroke>);

impl fmt::Display for Stroked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(Stroke { ink, width, dashed }) = self.0 else { return Ok(()) };
        write!(f, r#" stroke="{ink}" stroke-width="{}""#, Px(width))?;
        if dashed { f.write_str(r#" stroke-dasharray="5 3""#) } else { Ok(()) }
    }
}

/// Text as XML writes it: no character is markup, and none is one that XML forbids.
struct Escaped<'a>(&'a str);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in printable(self.0).chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                // XML 1.0, section 2.2.
                '\u{fffe}' | '\u{ffff}' => f.write_char(char::REPLACEMENT_CHARACTER)?,
                _ => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_never_markup() {
        let said = Escaped("<script>\"a\" & 'b'\u{0}\u{ffff}\u{202e}").to_string();
        assert_eq!(said, "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;\u{fffd}\u{fffd}\u{fffd}");
    }

    #[test]
    fn lengths_are_short() {
        let said = [0.0, -0.04, 12.0, 12.34, -3.25, 0.96, f64::NAN].map(|length| Px(length).to_string());
        assert_eq!(said, ["0", "0", "12", "12.3", "-3.3", "1", "0"]);
    }

    #[test]
    fn what_does_not_fit_is_cut_and_marked() {
        let font = Font::new(10.0, "#000000");
        assert_eq!(font.fit("shop.shop.shop", 200.0), "shop.shop.shop");
        assert_eq!(font.fit("shop.shop.shop", 50.0), "shop.s..");
        assert_eq!(font.fit("shop.shop.shop", 10.0), "");
        let told = font.fit_before("https://shop.test/a/very/long/path", ": frame 11 of 13", 220.0);
        assert!(told.starts_with("https://") && told.ends_with("..: frame 11 of 13"), "{told}");
        assert!(font.bold().width("WWW") > font.width("iii"));
        assert!(Font::new(1.0, "#000000").size >= SMALLEST);
    }
}
