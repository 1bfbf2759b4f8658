"""The portal's addresses. Each module owns one part of them and offers its ``ROUTES``."""
