"""The parts that the document is divided into."""

from flask_openapi import Tag

TASKS = Tag(name="Tasks", description="Lists of URLs: handed in, and followed until every URL has its outcome.")
WEB_PAGES = Tag(
    name="Web pages", description="The images of a page, or its text: handed in by the page's address, and followed."
)
IMAGES = Tag(name="Images", description="What is stored: gray versions, bytes as received, metadata.")
MONITORING = Tag(name="Monitoring", description="What ended when, and whether the services answer.")
PAGES = Tag(name="Pages", description="For people, and what these pages load.")
DOCUMENTATION = Tag(name="Documentation", description="This description, for programs and for people.")
