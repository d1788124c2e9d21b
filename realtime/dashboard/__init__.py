"""The browser dashboard and the overlay page for OBS. aiohttp is imported only when a dashboard is asked for."""
