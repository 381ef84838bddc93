"""What on a page leads out of it."""

LEADS_AWAY = r"""() => {
  const plain = ["href", "xlink:href", "src", "action", "formaction", "background", "poster", "ping", "cite"];
  const listed = (text) => text.split(/,\s+/).map((one) => one.trim().split(/\s+/)[0]);
  const styled = (text) => [...text.matchAll(/url\(\s*["']?([^"')]+)/g)].map((one) => one[1]);
  const drawn = new Set(["IMG", "SOURCE", "LINK", "image", "VIDEO", "AUDIO"]);
  const away = (one, address) => {
    const url = new URL(address, document.baseURI);
    return !(url.protocol === "data:" && drawn.has(one.tagName)) && url.origin !== location.origin;
  };
  return [...document.querySelectorAll("*")].flatMap((one) => [
    ...plain.filter((name) => one.hasAttribute(name)).map((name) => one.getAttribute(name)),
    ...(one.tagName === "OBJECT" ? [one.getAttribute("data")] : []),
    ...["srcset", "imagesrcset"].flatMap((name) => listed(one.getAttribute(name) || "")),
    ...styled(one.getAttribute("style") || "").filter((address) => !address.startsWith("data:")),
  ].filter((address) => address && !address.startsWith("blob:") && away(one, address)));
}"""
"""Every address in the page's attributes that is not its own server's; images may stand in the page itself.

A name that people gave may stand in the query of an address of its own.
"""
