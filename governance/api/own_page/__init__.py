"""The person's own page as plain HTML: no script, one style sheet of ours, nothing from elsewhere.

A link that an application got by ``POST /control/v1/own/links`` opens it once; the browser then shows a cookie for half
an hour. Every form carries the page's own key, and acts through the same control actions as the control API.

========================  ==========================  ==============================================================
route                     who                         what it does
========================  ==========================  ==============================================================
GET  /me/open/{token}     who holds the link          opens the page, once; 303 to /me
GET  /me                  the open page               everything on one page
GET  /me/style.css        *public*                    its style
GET  /me/receipt/{id}     who knows the number        how far a deletion is; ``?as=json``: the signed receipt
POST /me/leave            the open page               closes it
POST /me/consent/on|off   the open page               purpose, version
POST /me/object           the open page               no direct marketing, no e-mails
POST /me/interests        the open page               name.N and word.N; or one of up, aside, again
POST /me/feedback         the open page               decision, item, word: helpful, unhelpful, less
POST /me/data             the open page               → ZIP of JSON and CSV
POST /me/review           the open page               said, decision
POST /me/delete[/back]    the open page               sure
========================  ==========================  ==============================================================
"""
