"""One function per page; what each is called, asks and needs stands in ``registry``."""
